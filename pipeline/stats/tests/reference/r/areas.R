# Areas by other software: an area's rate less the region's, the atlas's figures, the median odds ratio, and chance by enumeration.
#   Rscript areas.R        writes areas_expected.csv beside itself; reads models_rows.csv and models_expected.csv
suppressMessages({library(numDeriv); library(lme4)})
options(digits = 17)
rows <- list()
put <- function(case, quantity, name, value)
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, name = as.character(name), value = as.numeric(value))

# ---- Difference from the region: Poisson counts of glm, and the difference as a function of them, differentiated numerically ----
events <- rbind(c(4, 21, 60), c(9, 35, 41), c(2, 12, 77), c(15, 8, 30)); people <- rbind(c(900, 1400, 800), c(2100, 1900, 650), c(450, 700, 990), c(1800, 300, 420))
standard <- c(5000, 5500, 2500)
difference <- function(rate, area) sum(standard * (rate[area, ] - colSums(people * rate) / colSums(people))) / sum(standard) * 1e4
cells <- data.frame(x = as.vector(events), n = as.vector(people), area = as.vector(row(events)), stratum = as.vector(col(events)))
tight <- glm.control(epsilon = 1e-12, maxit = 100)
saturated <- glm(x ~ 0 + factor(area):factor(stratum) + offset(log(n)), poisson, cells, control = tight)
equal <- glm(x ~ 0 + factor(stratum) + offset(log(n)), poisson, cells, control = tight)   # all areas have the region's rates
# Once more from where they ended: the errors of a fit are those of its last but one step.
saturated <- update(saturated, start = coef(saturated)); equal <- update(equal, start = coef(equal))
as_rates <- function(log_rates) matrix(exp(log_rates), 4, 3)
for (j in 1:4) {
  g <- grad(function(b) difference(as_rates(b), j), coef(saturated))
  put("region", "difference", j, difference(as_rates(coef(saturated)), j)); put("region", "se", j, sqrt(drop(t(g) %*% vcov(saturated) %*% g)))
  by_count <- grad(function(x) difference(matrix(x, 4, 3) / people, j), cells$x)
  put("region", "se_equal", j, sqrt(sum(by_count^2 * fitted(equal))))
}
put("region", "reference", "", sum(standard * colSums(events) / colSums(people)) / sum(standard) * 1e4)
# Persons with one, two and three events: independent Poisson counts of persons, the difference as a function of those.
set.seed(1907); persons <- array(rpois(36, rep(c(24, 5, 1), each = 12)), c(4, 3, 3))
for (j in 1:4) for (s in 1:3) { name <- paste(j, s, sep = "_"); put("region", "events", name, events[j, s]); put("region", "people", name, people[j, s]); for (f in 1:3) put("repeat", paste0("persons_", f), name, persons[j, s, f]) }
put("region", "standard", 1:3, standard)
of_persons <- function(v, j) { v <- array(v, c(4, 3, 3)); difference((v[, , 1] + 2 * v[, , 2] + 3 * v[, , 3]) / people, j) }
shares <- sweep(people, 2, colSums(people), "/")
expected_persons <- array(unlist(lapply(1:3, function(f) sweep(shares, 2, colSums(persons[, , f]), "*"))), c(4, 3, 3))
for (j in 1:4) {
  g <- grad(function(v) of_persons(v, j), as.vector(persons))
  put("repeat", "difference", j, of_persons(persons, j)); put("repeat", "se", j, sqrt(sum(g^2 * persons))); put("repeat", "se_equal", j, sqrt(sum(g^2 * expected_persons)))
}

# ---- The atlas: yearly counts averaged, small areas left out, the spread of the rates about the expected ones less chance ----
set.seed(412)
size <- c(9.3, 22, 41.5, 14.2, 2.1, 63, 18.8, 30.4); yearly <- matrix(rpois(8 * 4, size * rep(exp(rnorm(8, 0, .25)), 4)), 8)
yearly_expected <- matrix(size * rep(c(.95, 1, 1.02, 1.03), each = 8), 8)
atlas <- data.frame(o = rowMeans(yearly), e = rowMeans(yearly_expected))
put("atlas", "observed", 1:8, rowSums(yearly)); put("atlas", "expected", 1:8, rowSums(yearly_expected))
put("atlas", "left_out", "", which(atlas$o < 5)); atlas <- atlas[atlas$o >= 5, ]
# The moment estimator of a variance: squared Pearson residuals less one, each divided by what is expected.
pearson <- (atlas$o - atlas$e) / sqrt(atlas$e)
put("atlas", "scv", "", 100 * mean((pearson^2 - 1) / atlas$e))
ratio <- sort(atlas$o / atlas$e); for (k in 1:3) put("atlas", "ft", k, round(rev(ratio)[k] / ratio[k], 2))

# ---- Median odds ratio: by its definition, at variances of glmer and others ------------------------------------------------------
known <- read.csv("models_expected.csv"); tau <- known$value[known$case == "agq_25" & known$quantity == "tau"]
latent <- integrate(function(x) x^2 * dlogis(x), -Inf, Inf, rel.tol = 1e-13)$value
for (v in c(tau^2, .01, .5, 3)) {
  sd <- sqrt(v); name <- formatC(v, digits = 17, format = "g", width = 1)
  closer <- function(d) integrate(function(u) dnorm(u, 0, sd) * (pnorm(u + d, 0, sd) - pnorm(u - d, 0, sd)), -9 * sd, 9 * sd, rel.tol = 1e-13, subdivisions = 2000)$value
  put("mor", "value", name, exp(uniroot(function(d) closer(d) - .5, c(0, 10 * sd), tol = 1e-15)$root)); put("mor", "icc", name, v / (v + latent))
}
# What two adjusters explain: models without and with them, 25 nodes.
m <- read.csv("models_rows.csv"); m$z <- (m$x1 - 55) / 10
tau_of <- function(formula, start) {
  parsed <- glFormula(formula, data = m, family = binomial); dev <- do.call(mkGlmerDevfun, parsed); optimizeGlmer(dev)
  dev <- updateGlmerDevfun(dev, parsed$reTrms, nAGQ = 25); environment(dev)$tolPwrss <- 1e-13
  fit <- nlminb(start, dev, lower = c(0, rep(-Inf, length(start) - 1)), control = list(rel.tol = 1e-15, x.tol = 1e-12, iter.max = 5000, eval.max = 10000))
  fit <- optim(fit$par, dev, method = "Nelder-Mead", control = list(reltol = 1e-16, maxit = 20000))
  nlminb(fit$par, dev, lower = c(0, rep(-Inf, length(start) - 1)), control = list(rel.tol = 1e-15, x.tol = 1e-12, iter.max = 5000, eval.max = 10000))$par[1]
}
raw <- tau_of(event ~ 1 + (1 | ward), c(.8, 0)); adjusted <- tau_of(event ~ z + x2 + (1 | ward), c(.8, 0, 0, 0))
put("explained", "raw", "", raw^2); put("explained", "adjusted", "", adjusted^2); put("explained", "share", "", 1 - adjusted^2 / raw^2)

# ---- Chance: all ways to allot six persons with eleven events, and eleven persons with one, over three areas ------------------------------
frequency <- c(1, 1, 1, 2, 2, 4); share <- c(.4, .35, .25); seen <- c(8, 2, 1)
ways <- as.matrix(expand.grid(rep(list(1:3), 6)))
allotted <- t(apply(ways, 1, function(w) tapply(frequency, factor(w, 1:3), sum, default = 0))); weight <- apply(ways, 1, function(w) prod(share[w]))
single <- as.matrix(subset(expand.grid(0:11, 0:11, 0:11), Var1 + Var2 + Var3 == 11)); single_weight <- apply(single, 1, dmultinom, prob = share)
stopifnot(abs(sum(weight) - 1) < 1e-12, abs(sum(single_weight) - 1) < 1e-12)
expected <- 11 * share
statistics <- list(chi2 = function(o) sum((o - expected)^2 / expected), scv = function(o) 100 * mean(((o - expected) / expected)^2 - 1 / expected))
for (name in names(statistics)) for (kind in c("repeat", "independent")) {
  t <- apply(if (kind == "repeat") allotted else single, 1, statistics[[name]]); w <- if (kind == "repeat") weight else single_weight
  t0 <- statistics[[name]](seen); o <- order(t); case <- paste("chance", name, kind, sep = "_")
  put(case, "statistic", "", t0); put(case, "p", "", sum(w[t >= t0 - 1e-9])); put(case, "mean", "", sum(w * t)); put(case, "sd", "", sqrt(sum(w * t^2) - sum(w * t)^2))
  at <- which(cumsum(w[o]) >= .95)[1]; put(case, "p95", "", t[o][at])
  # Both steps of the distribution beside 95 % lie so far from it that 100,000 draws do not miss the one between: 3 of their errors.
  stopifnot(sum(w[t < t[o][at] - 1e-9]) < .948, sum(w[t <= t[o][at] + 1e-9]) > .952)
}

out <- do.call(rbind, rows)
out$value <- formatC(out$value, digits = 17, format = "g", width = 1)
write.csv(out, "areas_expected.csv", row.names = FALSE, quote = FALSE)
