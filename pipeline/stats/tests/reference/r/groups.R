# Groups by other software: changes, age-standardised survival, strata, and the CAHPS manual's tests of units.
#   Rscript groups.R        writes groups_expected.csv beside itself; reads closed_survey.csv, closed_survival.csv and models_rows.csv
suppressMessages({library(survey); library(survival); library(metafor); library(car)})
options(digits = 17)
rows <- list()
put <- function(case, quantity, name, value)
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, name = as.character(name), value = as.numeric(value))

# ---- Change between two periods: a meta-regression of the two values on the period -------------------------------------------
earlier <- c(71.2, 3.25, 60, -0.4); v0 <- c(2.3, .4, 1e-4, 9); later <- c(73.9, 3.01, 60.05, 8.7); v1 <- c(1.1, .2, 4e-4, 16)
for (i in seq_along(earlier)) {
  put("change", "earlier", i, earlier[i]); put("change", "v0", i, v0[i]); put("change", "later", i, later[i]); put("change", "v1", i, v1[i])
  for (level in c(95, 99)) {
    f <- rma(c(earlier[i], later[i]), c(v0[i], v1[i]), mods = ~ c(0, 1), method = "FE", level = level)
    put("change", paste0("low_", level), i, f$ci.lb[2]); put("change", paste0("high_", level), i, f$ci.ub[2])
  }
  put("change", "change", i, f$beta[2]); put("change", "se", i, f$se[2]); put("change", "p", i, f$pval[2])
}

# ---- Age-standardised survival: Kaplan-Meier in two age groups, the logarithm of their mean by the delta method -----------------
v <- read.csv("closed_survival.csv"); v$old <- v$age >= 65 * 365; w <- c(.7, .3)
for (t in c(90, 360, 720)) {
  g <- lapply(split(v, v$old), function(d) summary(survfit(Surv(days, dead) ~ 1, d), times = t))
  s <- c(a = g[[1]]$surv, b = g[[2]]$surv); V <- diag(c(g[[1]]$std.err, g[[2]]$std.err)^2)
  plain <- deltaMethod(s, "0.7 * a + 0.3 * b", vcov. = V); log <- deltaMethod(s, "log(0.7 * a + 0.3 * b)", vcov. = V)
  put("age", "value", t, plain$Estimate); put("age", "se", t, plain$SE)
  put("age", "low", t, exp(log$`2.5 %`)); put("age", "high", t, exp(log$`97.5 %`))
}

# ---- Strata of element samples: survey's means of strata, and of a part of each; residuals and V(beta) of lm -----------------------
s <- read.csv("closed_survey.csv"); size <- c(400, 90, 25); s$population <- size[s$stratum]; s$one <- s$type == 1; s$weight <- s$population / ave(s$y, s$stratum, FUN = length)
put("strata", "size", 1:3, size)
design <- svydesign(~1, strata = ~ stratum, fpc = ~ population, data = s)
each <- svyby(~ y, ~ stratum, design, svymean)
put("strata", "mean", 1:3, coef(each)); put("strata", "variance", 1:3, SE(each)^2)
all <- svymean(~ y, design); put("strata", "value", "", coef(all)); put("strata", "se", "", SE(all))
# With adjusters: their coefficients come from all rows, with a dummy for every type and stratum.
l <- lm(y ~ age + sex + factor(type):factor(stratum), s); b <- coef(l)[2:3]; Vb <- vcov(l)[2:3, 2:3]; reference <- c(2.6, 1.4)
s$e <- s$y - b[1] * s$age - b[2] * s$sex
adjusted <- function(case, rows) {
  d <- subset(svydesign(~1, strata = ~ stratum, fpc = ~ population, data = s), rows)
  mean_e <- svymean(~ e, d); mean_x <- coef(svymean(~ age + sex, d)); D <- mean_x - reference; k <- s$weight[rows]
  put(case, "value", "", coef(mean_e) + sum(b * reference)); put(case, "crude", "", coef(svymean(~ y, d)))
  put(case, "sampling", "", SE(mean_e)^2); put(case, "variance", "", SE(mean_e)^2 + drop(D %*% Vb %*% D)); put(case, "n_effective", "", sum(k)^2 / sum(k^2))
}
adjusted("whole", s$stratum <= 2)
adjusted("part", s$one)
# Two strata without adjusters or correction: Welch's test on rows multiplied by their stratum's share.
share <- size[1:2] / sum(size[1:2]); welch <- t.test(share[1] * s$y[s$stratum == 1], -share[2] * s$y[s$stratum == 2], conf.level = .9)
put("welch", "value", "", -diff(welch$estimate)); put("welch", "se", "", welch$stderr); put("welch", "df", "", welch$parameter); put("welch", c("low", "high"), "", welch$conf.int)

# ---- The CAHPS manual: two items with gaps on hospitals, one hospital without the second item -----------------------------------------
m <- read.csv("models_rows.csv"); i <- seq_len(nrow(m)); U <- length(unique(m$hospital))
items <- cbind(ifelse(i %% 5 == 0, NA, m$y), ifelse(i %% 7 == 0 | m$hospital == 3, NA, m$even)); keep <- m$hospital != 3
m <- m[keep, ]; items <- items[keep, ]; h <- factor(m$hospital); U <- nlevels(h)
residual <- unadjusted <- shifted <- 0
for (k in 1:2) {
  l <- lm(items[, k] ~ 0 + h + m$x1 + m$x2, na.action = na.exclude); here <- !is.na(items[, k])
  center <- sapply(c("x1", "x2"), function(x) mean(tapply(m[[x]][here], h[here], mean)))
  unadjusted <- unadjusted + tapply(items[, k], h, mean, na.rm = TRUE) / 2
  shifted <- shifted + (coef(l)[1:U] + sum(center * coef(l)[U + 1:2])) / 2
  r <- resid(l); r[is.na(r)] <- 0; residual <- residual + r / 2 / tapply(here, h, sum)[h]
  put("cahps", paste0("beta_", k), 1:2, coef(l)[U + 1:2])
}
n <- tapply(rowSums(!is.na(items)) > 0, h, sum); V <- n / (n - 1) * tapply(residual^2, h, sum)
value <- shifted + mean(unadjusted) - mean(shifted); contrast <- diag(U) - 1 / U
delta <- drop(contrast %*% value); se <- sqrt(diag(contrast %*% diag(V) %*% t(contrast)))
put("cahps", "n", levels(h), n); put("cahps", "unadjusted", levels(h), unadjusted); put("cahps", "adjusted", levels(h), value); put("cahps", "variance", levels(h), V)
put("cahps", "delta", levels(h), delta); put("cahps", "se", levels(h), se); put("cahps", "half", levels(h), qt(.975, n - 1) * se); put("cahps", "p", levels(h), 2 * pt(-abs(delta / se), n - 1))
put("cahps", "stars", levels(h), ifelse(2 * pt(-abs(delta / se), n - 1) >= .05, 2, ifelse(delta < 0, 1, 3)))
one <- lm(value ~ 1, weights = 1 / V); f <- summary(one)$sigma^2; df2 <- sum(n) - U - 2
put("cahps", c("grand", "F", "df1", "df2", "p_F"), "", c(coef(one), f, U - 1, df2, pf(f, U - 1, df2, lower.tail = FALSE)))

out <- do.call(rbind, rows)
out$value <- formatC(out$value, digits = 17, format = "g", width = 1)
write.csv(out, "groups_expected.csv", row.names = FALSE, quote = FALSE)
