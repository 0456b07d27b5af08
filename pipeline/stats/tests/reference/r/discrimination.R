# How well logistic case mix tells events from others: c by wilcox.test, the share of deviance by two glm.
#   Rscript discrimination.R        writes discrimination_expected.csv beside itself
# On models_rows.csv (wards, two of which have one outcome only) and standardised_rows.csv (hospitals).
options(digits = 17)
rows <- list()
put <- function(case, quantity, name, value)
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, name = as.character(name), value = as.numeric(value))
tight <- list(epsilon = 1e-15, maxit = 100)

judge <- function(case, d, unit, y, adjusters) {
  mixed <- names(which(tapply(d[[y]], d[[unit]], function(e) length(unique(e))) == 2))
  own <- droplevels(transform(d, u = factor(d[[unit]]))[as.character(d[[unit]]) %in% mixed, ])
  alone <- glm(reformulate("u", y), binomial, own, control = tight)
  full <- glm(reformulate(c("u", adjusters), y), binomial, own, control = tight)
  for (t in adjusters) put(case, "beta", t, coef(full)[t])
  # Rounded to 12 digits, so that equal patterns tie whatever the order of their sum.
  eta <- signif(drop(as.matrix(d[adjusters]) %*% coef(full)[adjusters]), 12)
  w <- suppressWarnings(wilcox.test(eta[d[[y]] == 1], eta[d[[y]] == 0], exact = FALSE))
  put(case, "c", "", w$statistic / (sum(d[[y]] == 1) * sum(d[[y]] == 0)))
  put(case, "deviance_explained", "", 1 - deviance(full) / deviance(alone))
}
wards <- read.csv("models_rows.csv")
judge("two", wards, "ward", "event", c("x1", "x2"))
judge("ties", wards, "ward", "event", "x2")
hospitals <- read.csv("standardised_rows.csv")
judge("mortality", hospitals, "hospital", "died", c("age", "sex", "acute"))
out <- do.call(rbind, rows)
out$value <- formatC(out$value, digits = 17, format = "g", width = 1)
write.csv(out, "discrimination_expected.csv", row.names = FALSE, quote = FALSE)
