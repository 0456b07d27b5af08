# Values at a common mix of patients by other software: adjusted proportions (also weighted), indirect ratios, 30-day mortality of
# shared courses, marginal probabilities, and differences of adjusted means from a reference that contains the unit.
#   Rscript standardised.R        writes standardised_*.csv beside itself
# Proportions and mortality are on 160 patients with a fixed seed, the others on models_rows.csv. Offsets are intercepts of glm (or
# svyglm) with an offset, shares and weights as weights; values are means of predict(); errors come from the joint covariance of all
# coefficients; limits are roots of the score equation by uniroot.
suppressMessages({library(lme4); library(survey)})
options(digits = 17)
rows <- list()
put <- function(case, quantity, name, value)
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, name = as.character(name), value = as.numeric(value))

set.seed(20251130)
size <- c(41, 33, 28, 24, 20, 14); hospital <- rep(seq_along(size), size); N <- length(hospital)
age <- pmin(98, pmax(30, round(rnorm(N, 71 + hospital, 11)))); sex <- rbinom(N, 1, .5); acute <- rbinom(N, 1, .4 + .05 * hospital)
died <- rbinom(N, 1, plogis(-2.1 + c(-.5, 0, .4, .1, .7, -.2)[hospital] + .06 * (age - 72) + .8 * acute - .3 * sex))
# A third of the courses go on in another hospital; share is that of the first.
moves <- rbinom(N, 1, .33); other <- ifelse(moves == 1, (hospital + sample(0:4, N, TRUE)) %% 6 + 1, 0); moves[other == hospital] <- 0; other[other == hospital] <- 0
share <- ifelse(moves == 1, sample(1:19, N, TRUE) / 20, 1)
d <- data.frame(hospital, other, share, age, sex, acute, died)
write.csv(d, "standardised_rows.csv", row.names = FALSE, quote = FALSE)
d$z <- (d$age - 70) / 10; d$unit <- factor(d$hospital)
tight <- list(epsilon = 1e-15, maxit = 100)

fit <- glm(died ~ 0 + unit + z + sex + acute, binomial, d, control = tight)
# Once more from where it ended: the errors of a fit are those of its last but one step.
fit <- glm(died ~ 0 + unit + z + sex + acute, binomial, d, control = tight, start = coef(fit))
adjusters <- c("z", "sex", "acute"); X <- as.matrix(d[adjusters]); b <- coef(fit)[adjusters]; xb <- drop(X %*% b)
for (t in adjusters) { put("fit", "beta", t, b[t]); put("fit", "se", t, sqrt(vcov(fit)[t, t])) }
zc <- qnorm(.975)
root <- function(f) uniroot(f, c(-40, 40), tol = 1e-15, maxiter = 10000)$root

# ---- Adjusted proportions of hospitals: everyone treated there ----
for (h in levels(d$unit)) {
  all_there <- transform(d, unit = factor(h, levels(d$unit)))
  put("proportion", "value", h, mean(predict(fit, all_there, type = "response")))
  p <- predict(fit, all_there, type = "response"); M <- model.matrix(~ 0 + unit + z + sex + acute, all_there)
  g <- colMeans(p * (1 - p) * M); put("proportion", "se", h, sqrt(drop(t(g) %*% vcov(fit) %*% g)))
  own <- d$hospital == as.integer(h); O <- sum(d$died[own])
  at <- function(side) root(function(q) { p <- plogis(xb[own] + q); O - sum(p) + side * zc * sqrt(sum(p * (1 - p))) })
  put("proportion", "low", h, mean(plogis(xb + at(-1)))); put("proportion", "high", h, mean(plogis(xb + at(1))))
}
# Two trusts of three hospitals: the offset is the intercept of a fit with the adjusters' part as given.
for (trust in 1:2) {
  own <- (d$hospital > 3) == (trust == 2); O <- sum(d$died[own])
  delta <- coef(glm(died ~ 1, binomial, d[own, ], offset = xb[own], control = tight))
  put("trust", "value", trust, mean(plogis(xb + delta)))
  at <- function(side) root(function(q) { p <- plogis(xb[own] + q); O - sum(p) + side * zc * sqrt(sum(p * (1 - p))) })
  put("trust", "low", trust, mean(plogis(xb + at(-1)))); put("trust", "high", trust, mean(plogis(xb + at(1))))
}

# ---- Weighted proportions: a weight and a stratum for every hospital and sex, beta unweighted; hospitals of 30 and more ----
d$cell <- 2 * (d$hospital - 1) + d$sex; d$w <- 1 + d$cell %% 5
for (h in 1:2) {
  own <- d$hospital == h; s <- d[own, ]; s$xb <- xb[own]
  design <- svydesign(~ 1, strata = ~ cell, weights = ~ w, data = s)
  crude <- svymean(~ died, design)
  put("weighted", "crude", h, coef(crude)); put("weighted", "binomial_n", h, coef(crude) * (1 - coef(crude)) / drop(vcov(crude)))
  delta <- coef(glm(died ~ 1, quasibinomial, s, weights = s$w, offset = s$xb, control = tight))
  # From where glm ended, so that the linearised error belongs to the solution.
  shift <- svyglm(died ~ 1 + offset(xb), design, family = quasibinomial(), start = delta, control = tight)
  p <- plogis(xb + coef(shift)); slope <- sum(d$w * p * (1 - p)) / sum(d$w)
  put("weighted", "value", h, sum(d$w * p) / sum(d$w)); put("weighted", "se", h, slope * sqrt(drop(vcov(shift))))
  q <- plogis(s$xb + coef(shift)); score <- drop(vcov(shift)) * sum(s$w * q * (1 - q))^2; D <- score / sum(s$w^2 * q * (1 - q))
  at <- function(side) root(function(t) { r <- plogis(s$xb + t); sum(s$w * (s$died - r)) + side * zc * sqrt(D * sum(s$w^2 * r * (1 - r))) })
  there <- function(t) sum(d$w * plogis(xb + t)) / sum(d$w)
  put("weighted", "low", h, there(at(-1))); put("weighted", "high", h, there(at(1)))
}

# ---- Observed over expected ----
average <- glm(died ~ 1, binomial, d, offset = xb, control = tight); phat <- fitted(average); eta <- xb + coef(average)
for (h in 1:6) {
  own <- d$hospital == h; E <- sum(phat[own]); V <- sum((phat * (1 - phat))[own]); O <- sum(d$died[own]); overall <- mean(d$died)
  put("ratio", "expected", h, E); put("ratio", "variance", h, V); put("ratio", "value", h, O / E * overall)
  put("ratio", "low", h, max(0, O - zc * sqrt(V)) / E * overall); put("ratio", "high", h, (O + zc * sqrt(V)) / E * overall)
}

# ---- 30-day mortality: courses shared by time ----
parts <- rbind(data.frame(i = 1:N, h = d$hospital, w = d$share), data.frame(i = 1:N, h = d$other, w = 1 - d$share)[d$other > 0, ])
z <- numeric(6)
for (h in 1:6) {
  s <- parts[parts$h == h, ]; w <- s$w; y <- d$died[s$i]; e <- eta[s$i]; O <- sum(w * y)
  put("shared", "patients", h, nrow(s)); put("shared", "n", h, sum(w)); put("shared", "observed", h, O)
  p <- plogis(e); put("shared", "expected", h, sum(w * p)); put("shared", "variance", h, sum(w^2 * p * (1 - p)))
  z[h] <- (O - sum(w * p)) / sqrt(sum(w^2 * p * (1 - p))); put("shared", "z", h, z[h])
  delta <- coef(glm(y ~ 1, quasibinomial, weights = w, offset = e, control = tight)) # solves sum w (y - p) = 0
  put("shared", "mortality", h, mean(plogis(eta + delta)))
  at <- function(side) root(function(q) { p <- plogis(e + q); O - sum(w * p) + side * zc * sqrt(sum(w^2 * p * (1 - p))) })
  put("shared", "low", h, mean(plogis(eta + at(-1)))); put("shared", "high", h, mean(plogis(eta + at(1))))
}
for (h in 1:6) put("shared", "q", h, p.adjust(2 * pnorm(-abs(z)), "BH")[h])
# A hospital where the few that it shared all died: 1 - mortality is 0, with an upper limit above it.
few <- c(.25, .5, .1, .9); e <- eta[c(3, 50, 90, 120)]
low <- root(function(q) sum(few * plogis(-(e + q))) - zc * sqrt(sum(few^2 * plogis(e + q) * plogis(-(e + q)))))
put("all_died", "low", "", mean(plogis(e + low)))
for (i in 1:4) put("all_died", "eta", i, e[i])

# ---- Marginal probabilities of the logistic random intercept, by integrate(), at the optimum of models.R ----
m <- read.csv("models_rows.csv"); known <- read.csv("models_expected.csv")
at <- function(q, n = "") known$value[known$case == "agq_25" & known$quantity == q & known$name == n]
tau <- at("tau"); zz <- (m$x1 - 55) / 10
lp <- at("beta", "(Intercept)") + at("beta", "z1") * zz + at("beta", "x2") * m$x2
curve_of <- function(u) vapply(u, function(v) mean(plogis(lp + tau * v)), 0)
int <- function(f) integrate(f, -9, 9, rel.tol = 1e-12, abs.tol = 0, subdivisions = 2000)$value
put("marginal", "overall", "", int(function(u) curve_of(u) * dnorm(u)))
for (j in sort(unique(m$ward))) {
  k <- m$ward == j
  post <- function(u) vapply(u, function(v) exp(sum(dbinom(m$event[k], 1, plogis(lp[k] + tau * v), log = TRUE)) + dnorm(v, log = TRUE)), 0)
  total <- int(post); first <- int(function(u) post(u) * curve_of(u)) / total
  put("marginal", "value", j, first); put("marginal", "sd", j, sqrt(int(function(u) post(u) * (curve_of(u) - first)^2) / total))
}
# ---- Differences of adjusted means from a weighted mean of all units: contrasts of lm with unit dummies ----
l <- lm(y ~ 0 + factor(ward) + x1 + x2, m); J <- length(unique(m$ward)); w <- as.vector(table(m$ward)) + 3 * seq_len(J); w <- w / sum(w)
for (j in 1:J) {
  contrast <- c(-w, 0, 0); contrast[j] <- contrast[j] + 1
  put("difference", "value", j, sum(contrast * coef(l))); put("difference", "se", j, sqrt(drop(t(contrast) %*% vcov(l) %*% contrast)))
}
out <- do.call(rbind, rows)
out$value <- formatC(out$value, digits = 17, format = "g", width = 1)
write.csv(out, "standardised_expected.csv", row.names = FALSE, quote = FALSE)
