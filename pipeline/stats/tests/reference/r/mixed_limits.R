# Units at their conditional modes under a logistic random intercept: limits by the prediction error variance.
#   Rscript mixed_limits.R PREM_CSV        writes mixed_limits_expected.csv beside itself
# PREM_CSV is the synthetic table of reference/mixed (3,370 answers, 40 units). The joint precision of (beta, b) at tau-hat is
# that of a linear mixed model with weights p(1 - p); its Schur complement for beta is replaced by glmer's own covariance.
suppressMessages(library(lme4))
options(digits = 17)
d <- read.csv(commandArgs(TRUE)[1], stringsAsFactors = FALSE)
d$age_c <- (d$age - 60) / 10
first <- function(x, level) relevel(factor(x), ref = level)
d$sex <- first(d$sex, "female"); d$education <- first(d$education, "primary")
d$health <- first(d$health, "excellent"); d$language <- first(d$language, "norwegian")
control <- glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5), tolPwrss = 1e-12)
fit <- glmer(topbox ~ age_c + sex + education + health + acute + language + (1 | unit), d, binomial, nAGQ = 9, control = control)
X <- getME(fit, "X"); V <- as.matrix(vcov(fit, use.hessian = TRUE)); tau2 <- VarCorr(fit)$unit[1]
eta <- drop(X %*% fixef(fit)); re <- ranef(fit)$unit
rows <- lapply(rownames(re), function(unit) {
  b <- re[unit, 1]; own <- d$unit == unit
  v <- plogis(eta + b) * (1 - plogis(eta + b))
  conditional <- 1 / (1 / tau2 + sum(v[own])); lambda <- 1 - conditional / tau2
  g <- colSums(v * X) / sum(v) - lambda * colSums((v * X)[own, , drop = FALSE]) / sum(v[own])
  half <- qnorm(.975) * sqrt(conditional + drop(t(g) %*% V %*% g))
  data.frame(unit, low = mean(plogis(eta + b - half)), high = mean(plogis(eta + b + half)))
})
write.csv(do.call(rbind, rows), "mixed_limits_expected.csv", row.names = FALSE, quote = FALSE)
