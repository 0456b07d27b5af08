# Unbalanced trees, boundary fits, cluster-robust errors and logistic models on small data with a fixed seed.
#   Rscript models.R        writes models_*.csv beside itself
# lme4's own stopping rule leaves about 1e-6 of theta; every fit here is polished with nlminb on lme4's deviance function.
suppressMessages({library(lme4); library(lmerTest); library(clubSandwich)})
options(digits = 17)
rows <- list()
put <- function(case, quantity, name, value)
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, name = as.character(name), value = as.numeric(value))

set.seed(20240611)
# 4 trusts, 9 hospitals, 23 wards: a trust with one hospital, a hospital with one ward, wards of 1 to 24 rows.
trust_of <- c(1, 1, 1, 2, 2, 3, 3, 3, 4)
hospital_of <- c(rep(1, 4), rep(2, 1), rep(3, 3), rep(4, 2), rep(5, 3), rep(6, 4), rep(7, 2), rep(8, 2), rep(9, 2))
n <- c(1, 9, 14, 3, 7, 24, 2, 5, 11, 8, 1, 6, 19, 4, 2, 13, 1, 10, 5, 16, 3, 12, 8)
bt <- rnorm(4, 0, 4); bh <- rnorm(9, 0, 3); bw <- rnorm(23, 0, 5)
ward <- rep(seq_along(n), n); hospital <- hospital_of[ward]; trust <- trust_of[hospital]
x1 <- round(runif(length(ward), 18, 95)); x2 <- rbinom(length(ward), 1, 0.35 + 0.02 * (ward %% 7))
y <- round(60 + bt[trust] + bh[hospital] + bw[ward] + 0.12 * x1 - 5 * x2 + rnorm(length(ward), 0, 9), 2)
# Hospitals that do not differ: that level ends at 0.
flat <- round(50 + 0.1 * x1 + 2 * x2 + 3 * scale(bw)[ward] - 3 * ave(scale(bw)[ward], hospital) + rnorm(length(ward), 0, 7), 2)
p <- plogis(-0.4 + 0.9 * scale(bw)[ward] + 0.015 * (x1 - 55) - 0.7 * x2)
event <- rbinom(length(ward), 1, p)
event[ward == 4] <- 0; event[ward == 7] <- 1
# Wards of a hospital that do not differ: the lowest of three levels ends at 0.
even <- round(55 + bt[trust] + 2 * bh[hospital] + 0.1 * x1 + 2 * x2 + rnorm(length(ward), 0, 8), 2)
d <- data.frame(trust, hospital, ward, x1, x2, y, flat, even, event)
write.csv(d, "models_rows.csv", row.names = FALSE, quote = FALSE)
for (v in c("trust", "hospital", "ward")) d[[v]] <- factor(d[[v]])

polish <- function(formula, reml) {
  parsed <- lFormula(formula, data = d, REML = reml, control = lmerControl(check.nobs.vs.nlev = "ignore", check.nobs.vs.nRE = "ignore"))
  devfun <- do.call(mkLmerDevfun, parsed)
  best <- NULL
  for (start in list(rep(1, length(parsed$reTrms$theta)), rep(0.2, length(parsed$reTrms$theta)), rep(0.05, length(parsed$reTrms$theta)))) {
    o <- nlminb(start, devfun, lower = 0, control = list(rel.tol = 1e-15, x.tol = 1e-14, abs.tol = 0, iter.max = 2000, eval.max = 4000))
    if (is.null(best) || o$objective < best$objective) best <- o
  }
  # Newton by hand on central differences, from where nlminb ends.
  th <- best$par; free <- th > 1e-6
  th[!free] <- 0
  f <- function(q) { z <- th; z[free] <- q; devfun(z) }
  for (i in 1:8) if (any(free)) {
    q <- th[free]; k <- length(q); h <- 1e-4 * pmax(q, 0.05)
    g <- numeric(k); H <- matrix(0, k, k)
    e <- function(j) { v <- numeric(k); v[j] <- h[j]; v }
    for (a in 1:k) { g[a] <- (f(q + e(a)) - f(q - e(a))) / (2 * h[a])
      for (b in 1:k) H[a, b] <- (f(q + e(a) + e(b)) - f(q + e(a) - e(b)) - f(q - e(a) + e(b)) + f(q - e(a) - e(b))) / (4 * h[a] * h[b]) }
    th[free] <- q - solve(H, g)
  }
  devfun(th)
  mkMerMod(environment(devfun), list(par = th, fval = devfun(th), conv = 0), parsed$reTrms, fr = parsed$fr)
}
report <- function(case, m) {
  put(case, "criterion", "", if (isREML(m)) devCrit(m) else deviance(m))
  put(case, "sigma", "", sigma(m))
  v <- as.data.frame(VarCorr(m)); v <- v[v$grp != "Residual", ]
  for (i in seq_len(nrow(v))) put(case, "sd", sub(":.*", "", v$grp[i]), v$sdcor[i])
  s <- sqrt(diag(as.matrix(vcov(m)))); b <- fixef(m)
  for (i in seq_along(b)) { put(case, "beta", names(b)[i], b[i]); put(case, "se", names(b)[i], s[i]) }
  r <- ranef(m, condVar = TRUE)
  for (g in names(r)) { pv <- attr(r[[g]], "postVar")[1, 1, ]
    for (i in seq_len(nrow(r[[g]]))) { put(case, paste0("blup_", sub(":.*", "", g)), rownames(r[[g]])[i], r[[g]][i, 1]); put(case, paste0("condvar_", sub(":.*", "", g)), rownames(r[[g]])[i], pv[i]) } }
}
devCrit <- function(m) m@devcomp$cmp[["REML"]]
for (reml in c(TRUE, FALSE)) {
  tag <- if (reml) "reml" else "ml"
  report(paste0("three_", tag), polish(y ~ x1 + x2 + (1 | ward) + (1 | hospital) + (1 | trust), reml))
  report(paste0("two_", tag), polish(y ~ x1 + x2 + (1 | ward) + (1 | hospital), reml))
  report(paste0("one_", tag), polish(y ~ x1 + x2 + (1 | ward), reml))
  report(paste0("flat_", tag), polish(flat ~ x1 + x2 + (1 | ward) + (1 | hospital), reml))
  report(paste0("even_", tag), polish(even ~ x1 + x2 + (1 | ward) + (1 | hospital) + (1 | trust), reml))
}
# Satterthwaite (lmerTest), from a fit with tight optimisers.
tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, maxeval = 1e5))
for (case in list(list("one_reml", y ~ x1 + x2 + (1 | ward)), list("two_reml", y ~ x1 + x2 + (1 | ward) + (1 | hospital)), list("three_reml", y ~ x1 + x2 + (1 | ward) + (1 | hospital) + (1 | trust)))) {
  m <- lmerTest::lmer(case[[2]], d, control = tight)
  t <- summary(m)$coefficients
  for (i in seq_len(nrow(t))) put(case[[1]], "df", rownames(t)[i], t[i, "df"])
}
# Unit dummies: coefficients, and CR0/CR1/CR2 with Satterthwaite df, wards as clusters.
ols <- lm(y ~ x1 + x2 + ward, d)
for (t in c("x1", "x2")) { put("dummies", "beta", t, coef(ols)[t]); put("dummies", "se", t, summary(ols)$coefficients[t, 2]) }
put("dummies", "sigma", "", sigma(ols))
for (type in c("CR0", "CR1", "CR2")) {
  v <- vcovCR(ols, cluster = d$ward, type = type)
  test <- coef_test(ols, v, test = "Satterthwaite", coefs = c("x1", "x2"))
  for (t in c("x1", "x2")) put(paste0("dummies_", type), "se", t, sqrt(v[t, t]))
  if (type == "CR2") for (t in c("x1", "x2")) put("dummies_CR2", "df", t, test[test$Coef == t | rownames(test) == t, "df_Satt"])
}
# Unit by adjuster: all slopes at once, and one at a time.
dd <- d
f <- function(small, large) { a <- anova(lm(small, dd), lm(large, dd)); c(F = a$F[2], df1 = a$Df[2], df2 = a$Res.Df[2], p = a$`Pr(>F)`[2]) }
for (z in list(list("all", y ~ ward + x1 + x2, y ~ ward * x1 + ward * x2), list("x1", y ~ ward + x1 + x2, y ~ ward * x1 + x2), list("x2", y ~ ward + x1 + x2, y ~ ward * x2 + x1))) {
  r <- f(z[[2]], z[[3]]); for (k in names(r)) put("interaction", k, z[[1]], r[k])
}
# Logistic: unit dummies (wards with both outcomes), and random intercepts by Laplace and adaptive Gauss-Hermite.
mixed_wards <- names(which(tapply(d$event, d$ward, function(e) length(unique(e))) == 2))
g <- glm(event ~ x1 + x2 + ward, binomial, droplevels(d[d$ward %in% mixed_wards, ]), control = list(epsilon = 1e-15, maxit = 100))
for (t in c("x1", "x2")) { put("logistic", "beta", t, coef(g)[t]); put("logistic", "se", t, summary(g)$coefficients[t, 2]) }
put("logistic", "deviance", "", deviance(g))
d$z1 <- (d$x1 - 55) / 10
for (k in c(1, 5, 25)) {
  parsed <- glFormula(event ~ z1 + x2 + (1 | ward), data = d, family = binomial)
  dev <- do.call(mkGlmerDevfun, parsed)
  o0 <- optimizeGlmer(dev)
  dev <- updateGlmerDevfun(dev, parsed$reTrms, nAGQ = k)
  environment(dev)$pp; environment(dev)$tolPwrss <- 1e-13
  o <- nlminb(c(o0$par, 0, 0, 0), dev, lower = c(0, -Inf, -Inf, -Inf), control = list(rel.tol = 1e-15, x.tol = 1e-12, iter.max = 5000, eval.max = 10000))
  o <- optim(o$par, dev, method = "Nelder-Mead", control = list(reltol = 1e-16, maxit = 20000))
  o <- nlminb(o$par, dev, lower = c(0, -Inf, -Inf, -Inf), control = list(rel.tol = 1e-15, x.tol = 1e-12, iter.max = 5000, eval.max = 10000))
  case <- paste0("agq_", k)
  put(case, "tau", "", o$par[1]); for (i in 1:3) put(case, "beta", c("(Intercept)", "z1", "x2")[i], o$par[i + 1])
  put(case, "deviance", "", if (is.null(o$value)) o$objective else o$value)
  m <- glmer(event ~ z1 + x2 + (1 | ward), d, binomial, nAGQ = k, control = glmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, maxeval = 1e5), tolPwrss = 1e-12))
  put(case, "loglik", "", as.numeric(logLik(m)))
  s <- sqrt(diag(as.matrix(vcov(m)))); for (i in 1:3) put(case, "se", names(fixef(m))[i], s[i])
}
out <- do.call(rbind, rows)
out$value <- formatC(out$value, digits = 17, format = "g", width = 1)
write.csv(out, "models_expected.csv", row.names = FALSE, quote = FALSE)
