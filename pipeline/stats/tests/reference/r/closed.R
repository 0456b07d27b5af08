# Surveys, survival, area-level shrinkage, bootstrap and closed forms on small data with a fixed seed.
#   Rscript closed.R        writes closed_*.csv beside itself
suppressMessages({library(survey); library(survival); library(boot); library(MASS)})
options(digits = 17)
rows <- list()
put <- function(case, quantity, name, value)
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, name = as.character(name), value = as.numeric(value))

# ---- Survey: strata, clusters, finite populations, margins --------------------------------------------------------
set.seed(77)
n <- 90
s <- data.frame(stratum = rep(1:3, c(40, 30, 20)))
s$cluster <- c(rep(1:8, each = 5), rep(9:14, each = 5), rep(15:18, each = 5))
s$population <- c(30, 12, 4)[s$stratum]                # clusters in the population of the stratum
s$w <- round(s$population / c(8, 6, 4)[s$stratum] * runif(n, 2, 30), 3)
s$age <- sample(1:4, n, TRUE, c(.1, .2, .3, .4)); s$sex <- sample(1:2, n, TRUE); s$type <- sample(1:3, n, TRUE)
s$y <- round(50 + 6 * s$age + 4 * s$sex + rnorm(18, 0, 6)[s$cluster] + rnorm(n, 0, 12), 1)
s$x <- round(runif(n, 1, 9), 2); s$in_domain <- rbinom(n, 1, .4)
write.csv(s, "closed_survey.csv", row.names = FALSE, quote = FALSE)
est <- function(case, e, df = NULL, deff = NULL) { put(case, "value", "", coef(e)[1]); put(case, "se", "", SE(e)[1]); if (!is.null(df)) put(case, "df", "", df); if (!is.null(deff)) put(case, "deff", "", deff) }
plain <- svydesign(~1, weights = ~w, data = s)
full <- svydesign(~cluster, strata = ~stratum, fpc = ~population, weights = ~w, data = s)
nofpc <- svydesign(~cluster, strata = ~stratum, weights = ~w, data = s)
for (z in list(list("plain", plain), list("full", full), list("nofpc", nofpc))) {
  m <- svymean(~y, z[[2]], deff = TRUE); est(paste0(z[[1]], "_mean"), m, degf(z[[2]]), deff(m)[1])
  put(paste0(z[[1]], "_mean"), "deff_replace", "", deff(svymean(~y, z[[2]], deff = "replace"))[1])
  est(paste0(z[[1]], "_total"), svytotal(~y, z[[2]]))
  est(paste0(z[[1]], "_ratio"), svyratio(~y, ~x, z[[2]]))
  dm <- svymean(~y, subset(z[[2]], in_domain == 1)); est(paste0(z[[1]], "_domain"), dm)
}
margins <- list(age = c(300, 700, 1000, 1100), sex = c(1400, 1700), type = c(900, 1200, 1000))
frame <- function(v) setNames(data.frame(seq_along(margins[[v]]), margins[[v]]), c(v, "Freq"))
r <- rake(plain, list(~age, ~sex, ~type), list(frame("age"), frame("sex"), frame("type")), control = list(maxit = 5000, epsilon = 1e-11))
for (i in 1:n) put("raked", "weight", i, weights(r)[i])
# rake() itself takes residuals margin by margin; here they are those of one regression under the raked weights.
s$raked <- weights(r); s$e <- resid(lm(y ~ factor(age) + factor(sex) + factor(type), s, weights = raked))
put("raked_mean", "value", "", sum(s$raked * s$y) / sum(s$raked))
put("raked_mean", "se", "", SE(svytotal(~e, svydesign(~1, weights = ~raked, data = s)))[1] / sum(s$raked))
p <- postStratify(plain, ~age, frame("age"))
for (i in 1:n) put("post_stratified", "weight", i, weights(p)[i])
est("post_stratified_mean", svymean(~y, p))
# Raking and a cap of 1.6 times the stratum mean in turn: survey's raking, pmin for the cap.
w <- s$w
for (round in 1:400) {
  dd <- svydesign(~1, weights = w, data = s)
  w <- weights(rake(dd, list(~age, ~sex, ~type), list(frame("age"), frame("sex"), frame("type")), control = list(maxit = 20000, epsilon = 1e-11)))
  cap <- 1.6 * ave(w, s$stratum)
  if (all(w <= cap * (1 + 1e-10))) break
  w <- pmin(w, cap)
}
put("trimmed", "rounds", "", round)
for (i in 1:n) put("trimmed", "weight", i, w[i])

# ---- Survival with ties: deaths and censorings on the same day, all dead in the end ----------------------------------
set.seed(5)
k <- 60
v <- data.frame(days = pmin(round(rexp(k, 1 / 400) / 30) * 30 + 30, 1500), sex = sample(1:2, k, TRUE))
v$dead <- ifelse(v$days == 1500, 0, rbinom(k, 1, .75)); v$dead[which.max(v$days)] <- 1
v$age <- round(runif(k, 40 * 365, 88 * 365)); v$diagnosed <- round(runif(k, 0, 2000))
write.csv(v, "closed_survival.csv", row.names = FALSE, quote = FALSE)
for (type in c("log", "log-log", "plain")) {
  f <- summary(survfit(Surv(days, dead) ~ 1, v, conf.type = type), times = c(29, 30, 90, 360, 720, 1499), extend = TRUE)
  for (i in seq_along(f$time)) {
    if (type == "log") { put("km", "survival", f$time[i], f$surv[i]); put("km", "se", f$time[i], f$std.err[i]); put("km", "at_risk", f$time[i], f$n.risk[i]) }
    put("km", paste0("low_", type), f$time[i], f$lower[i]); put("km", paste0("high_", type), f$time[i], f$upper[i])
  }
}
# A life table of two sexes, three periods of 700 days from day 0 and five ages; hazards per day.
ages <- c(0, 45, 60, 75, 85) * 365; periods <- c(0, 700, 1400); base <- c(2e-6, 1e-5, 3e-5, 1.1e-4, 4e-4)
rt <- array(0, c(5, 2, 3)); for (g in 1:2) for (q in 1:3) rt[, g, q] <- base * c(1, .7)[g] * (1 - .1 * (q - 1))
attributes(rt) <- list(dim = c(5L, 2L, 3L), dimnames = list(age = ages, sex = c("1", "2"), year = periods), type = c(2, 1, 3), cutpoints = list(ages, NULL, as.Date(periods, origin = "1970-01-01")), class = "ratetable")
for (g in 1:2) for (q in 1:3) for (a in 1:5) put("life_table", "hazard", paste(g, q, a, sep = "_"), rt[a, g, q])
v$year <- as.Date(v$diagnosed, origin = "1970-01-01"); v$s <- factor(v$sex)
at <- c(30, 365, 730, 1200)
km <- summary(survfit(Surv(days, dead) ~ 1, v), times = at)$surv
# Ederer II: expected survival of those still under observation (survival's `conditional`).
ex <- survexp(days ~ 1, data = v, rmap = list(age = age, sex = s, year = year), ratetable = rt, method = "conditional", times = 1:1200)
for (i in seq_along(at)) put("ederer2", "survival", at[i], km[i] / ex$surv[at[i]])
# Pohar-Perme day by day, written out person by person.
haz <- function(i, t) rt[findInterval(v$age[i] + t, ages), v$sex[i], findInterval(v$diagnosed[i] + t, periods)]
H <- sapply(1:k, function(i) cumsum(sapply(0:1499, function(t) haz(i, t))))   # cumulated after day t+1
pp <- 1; vl <- 0
for (t in 1:1200) {
  on <- which(v$days >= t); w1 <- exp(H[t, on]); w0 <- if (t == 1) rep(1, length(on)) else exp(H[t - 1, on])
  h <- sapply(on, function(i) haz(i, t - 1)); died <- v$dead[on] == 1 & v$days[on] == t
  pp <- pp * (1 - sum(w1[died]) / sum(w1)) * exp(.5 * (sum(w0 * h) / sum(w0) + sum(w1 * h) / sum(w1)))
  vl <- vl + sum(w1[died]^2) / sum(w1)^2
  if (t %in% at) { put("pohar_perme", "survival", t, pp); put("pohar_perme", "se", t, pp * sqrt(vl)) }
}

# ---- Area-level shrinkage with a covariate (REML by optimize on the restricted likelihood; MSE g1 + g2 + 2 g3) ------------
set.seed(3)
m <- 17; V <- round(runif(m, .4, 9), 3); z <- round(rnorm(m), 3); a <- round(62 + 2 * z + rnorm(m, 0, 1.7) + rnorm(m, 0, sqrt(V)), 3)
write.csv(data.frame(value = a, variance = V, z = z), "closed_areas.csv", row.names = FALSE, quote = FALSE)
fh <- function(case, X, a, V) {
  gls <- function(A) { w <- 1 / (A + V); B <- solve(t(X) %*% (w * X)); list(w = w, B = B, g = drop(B %*% t(X) %*% (w * a))) }
  score <- function(A) { q <- gls(A); P <- diag(q$w) - (q$w * X) %*% q$B %*% t(q$w * X); sum(diag(P)) - sum((P %*% a)^2) }
  A <- if (score(0) >= 0) 0 else uniroot(score, c(0, 1000), tol = 1e-15)$root
  q <- gls(A); put(case, "A", "", A); for (i in 1:ncol(X)) { put(case, "beta", i, q$g[i]); put(case, "se", i, sqrt(q$B[i, i])) }
  b <- A / (A + V); fit <- drop(X %*% q$g)
  mse <- b * V + (1 - b)^2 * rowSums((X %*% q$B) * X) + 2 * V^2 / (A + V)^3 * 2 / sum(1 / (A + V)^2)
  for (i in seq_along(a)) { put(case, "value", i, fit[i] + b[i] * (a[i] - fit[i])); put(case, "mse", i, mse[i]) }
}
fh("area", cbind(1, z), a, V); fh("area_mean", cbind(rep(1, m)), a, V); fh("area_flat", cbind(rep(1, m)), 62 + .2 * sqrt(V) * scale(a)[, 1], V)

# ---- Bootstrap: R's boot on skewed rows in three strata; 200,000 replicates, so limits agree to about 1 % of the SE ------
set.seed(9)
b <- data.frame(stratum = rep(1:3, c(12, 25, 9)), y = round(rexp(46)^1.5 * 10, 2))
write.csv(b, "closed_bootstrap.csv", row.names = FALSE, quote = FALSE)
one <- boot(b$y, function(y, i) mean(y[i]), 2e5); ci <- boot.ci(one, type = c("perc", "bca"))
put("boot_one", "value", "", one$t0); put("boot_one", "se", "", sd(one$t)); put("boot_one", "perc", c("low", "high"), ci$percent[4:5]); put("boot_one", "bca", c("low", "high"), ci$bca[4:5])
cvs <- boot(b$y, function(y, i) sd(y[i]) / mean(y[i]), 2e5, strata = b$stratum); ci <- boot.ci(cvs, type = c("perc"))
put("boot_strata", "value", "", cvs$t0); put("boot_strata", "se", "", sd(cvs$t)); put("boot_strata", "perc", c("low", "high"), ci$percent[4:5])

# ---- Closed forms -------------------------------------------------------------------------------------------------------
p <- c(.01, .04, .03, .04, 1, 0, .2, .03, .0005)
for (method in c("bonferroni", "holm", "BH")) put("p_adjust", method, seq_along(p), p.adjust(p, method))
for (q in list(c(0, 7), c(7, 7), c(3, 11), c(412, 1000), c(1, 1e9), c(5e8, 1e9))) {
  x <- q[1]; nn <- q[2]; name <- paste0(format(x, scientific = FALSE), "_", format(nn, scientific = FALSE))
  put("clopper_pearson", c("low", "high"), name, c(if (x == 0) 0 else qbeta(.025, x, nn - x + 1), if (x == nn) 1 else qbeta(.025, x + 1, nn - x, lower.tail = FALSE)))
  put("jeffreys", c("low", "high"), name, qbeta(c(.025, .975), x + .5, nn - x + .5))
  if (nn < 1e8) put("wilson", c("low", "high"), name, prop.test(x, nn, correct = FALSE)$conf.int)
}
for (x in c(0, 1, 9, 10, 87, 1e6, 1e9)) put("poisson_exact", c("low", "high"), format(x, scientific = FALSE), c(if (x == 0) 0 else qgamma(.025, x), qgamma(.025, x + 1, lower.tail = FALSE)))
t1 <- t.test(c(3, 8.5, -2, 11, 4.25), conf.level = .9); put("t_mean", c("value", "low", "high"), "", c(t1$estimate, t1$conf.int))
g <- aov(y ~ factor(cluster), s); tab <- summary(g)[[1]]; put("one_way", c("msb", "msw", "f", "p"), "", c(tab$`Mean Sq`, tab$`F value`[1], tab$`Pr(>F)`[1]))
set.seed(21); o <- rnegbin(15, c(40, 8, 120, 3, 60) * 1.1, 6); e <- rep(c(40, 8, 120, 3, 60), 3); e <- e * sum(o) / sum(e)
o[4] <- 0; e <- e * sum(o) / sum(e)
put("areas", "observed", seq_along(o), o); put("areas", "expected", seq_along(o), e)
f <- function(la) sum(dnbinom(o, size = exp(la), mu = e, log = TRUE))
opt <- optimize(f, c(-3, 8), maximum = TRUE, tol = 1e-12)
sc <- function(la) (f(la + 1e-4) - f(la - 1e-4)) / 2e-4; la <- uniroot(sc, opt$maximum + c(-.05, .05), tol = 1e-13)$root; al <- exp(la)
put("areas", "eb_variance", "", 1 / al); put("areas", "eb_loglik", "", f(la)); put("areas", "eb_smoothed", seq_along(o), (o + al) / (e + al))
put("areas", "chi2", c("statistic", "p"), unlist(chisq.test(o, p = e / sum(e))[c("statistic", "p.value")]))
put("areas", "scv_diehr", "", 100 * mean(((o - e) / e)^2 - 1 / e))
put("areas", "eq", "", { r <- quantile(o / e, c(.95, .05), type = 7); if (r[2] > 0) r[1] / r[2] else NA })
put("areas", "cv", "", sd(o / e) / mean(o / e))
put("areas", "cv_weighted", "", sqrt(sum(e * (o / e - sum(o) / sum(e))^2) / sum(e)) / (sum(o) / sum(e)))
xw <- c(1200, 800, 950, 2000, 400); yw <- c(12, 14.5, 13, 18, 21); rk <- (cumsum(xw) - xw / 2) / sum(xw)
l <- lm(yw ~ rk, weights = xw); put("slope_index", c("sii", "rii"), "linear", c(coef(l)[2], sum(coef(l)) / coef(l)[1]))
l <- lm(log(yw) ~ rk, weights = xw); put("slope_index", c("sii", "rii"), "log", c(exp(sum(coef(l))) - exp(coef(l)[1]), exp(coef(l)[2])))
it <- data.frame(a = c(1, 2, 3, 4, 5, 4, 2, 3), b = c(2, 2, 3, 5, 5, 4, 1, 2), c = c(1, 3, 3, 4, 4, 5, 2, 2), d = c(2, 1, 4, 4, 5, 5, 3, 3))
C <- cov(it); al <- 4 / 3 * (1 - sum(diag(C)) / sum(C)); put("alpha", "value", "", al); R <- cor(it); rb <- mean(R[lower.tri(R)]); put("alpha", "standardised", "", 4 * rb / (1 + 3 * rb))
put("alpha", "item_rest", 1:4, sapply(1:4, function(j) cor(it[, j], rowSums(it[, -j]))))
put("alpha", "feldt", c("low", "high"), 1 - (1 - al) * qf(c(.975, .025), 7, 21))
x <- rbind(c(12, 1000, 5), c(3, 800, 3), c(40, 1500, 2)); rate <- sum(x[, 3] * x[, 1] / x[, 2]) / 10; va <- sum((x[, 3] / 10)^2 * x[, 1] / x[, 2]^2); ot <- sum(x[, 1]); zz <- qnorm(.975)
bl <- ot * (1 - 1 / (9 * ot) - zz / (3 * sqrt(ot)))^3; bu <- (ot + 1) * (1 - 1 / (9 * (ot + 1)) + zz / (3 * sqrt(ot + 1)))^3
put("direct", c("value", "low", "high"), "", 1e5 * c(rate, rate + sqrt(va / ot) * (bl - ot), rate + sqrt(va / ot) * (bu - ot)))
out <- do.call(rbind, rows)
out <- out[!is.na(out$value), ]
out$value <- formatC(out$value, digits = 17, format = "g", width = 1)
write.csv(out, "closed_expected.csv", row.names = FALSE, quote = FALSE)
