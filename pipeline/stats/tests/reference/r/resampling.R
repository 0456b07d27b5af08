# Units drawn with replacement: all resamples of eight units, weighted by how often they come; and intervals of slope indices.
#   Rscript resampling.R        writes resampling_expected.csv beside itself
options(digits = 17)
rows <- list()
put <- function(case, quantity, name, value)
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, name = as.character(name), value = as.numeric(value))

# ---- Units: how often each of eight is drawn, 6,435 ways -----------------------------------------------------------
counts <- function(units, draws) if (units == 1) matrix(draws) else
  do.call(rbind, lapply(0:draws, function(k) cbind(k, counts(units - 1, draws - k))))
ways <- counts(8, 8)
weight <- exp(lgamma(9) - rowSums(lgamma(ways + 1)) - 8 * log(8))
stopifnot(nrow(ways) == 6435, abs(sum(weight) - 1) < 1e-12)

resample <- function(case, statistic) {
  t <- apply(ways, 1, function(k) statistic(rep(1:8, k)))
  keep <- is.finite(t); w <- weight[keep] / sum(weight[keep]); t <- t[keep]; o <- order(t); t <- t[o]; w <- w[o]
  at <- function(p) t[which(cumsum(w) >= p)[1]]
  t0 <- statistic(1:8)
  d <- sapply(1:8, function(j) statistic((1:8)[-j])); d <- mean(d) - d; a <- sum(d^3) / (6 * sum(d^2)^1.5)
  same <- abs(t - t0) <= 1e-12 * abs(t0)
  z0 <- qnorm(sum(w[t < t0 & !same]) + sum(w[same]) / 2); z <- z0 + qnorm(c(.025, .975))
  put(case, "value", "", t0); put(case, "se", "", sqrt(sum(w * (t - sum(w * t))^2)))
  put(case, "perc", c("low", "high"), sapply(c(.025, .975), at))
  put(case, "bca", c("low", "high"), sapply(pnorm(z0 + z / (1 - a * z)), at))
}

observed <- c(52, 31, 78, 40, 66, 25, 90, 47); expected <- c(45, 38, 70, 52, 49, 33, 82, 60)
resample("scv", function(i) 100 * mean(((observed[i] - expected[i]) / expected[i])^2 - 1 / expected[i]))
resample("gini", function(i) { o <- i[order(observed[i])]; p <- expected[o] / sum(expected[o])
  q <- expected[o] * observed[o] / sum(expected[o] * observed[o]); 1 - sum(p * (2 * cumsum(q) - q)) })
value <- c(71.2, 66.9, 75.4, 69.3, 73.8, 64.1, 70.6, 77.9); variance <- c(3.1, 2.2, 4.0, 1.5, 2.8, 3.6, 1.9, 2.5)
resample("between_sd", function(i) { w <- 1 / variance[i]; m <- sum(w * value[i]) / sum(w)
  sqrt(max(0, (sum(w * (value[i] - m)^2) - 7) / (sum(w) - sum(w^2) / sum(w)))) })

# Equally many rows in every unit: REML is analysis of variance, cut off at 0.
y <- matrix(60 + 3 * ((0:95) %% 8) + ((0:95) * 37) %% 23, nrow = 8)
resample("icc", function(i) { n <- 12; within <- mean(apply(y[i, ], 1, var)); between <- max(0, (n * var(rowMeans(y[i, ])) - within) / n)
  if (between == 0) within <- var(as.vector(y[i, ])); between / (between + within) })

# ---- Slope indices: start and slope are normal when the groups' values are ---------------------------------------------
population <- c(900, 1100, 1000, 1200, 800); v <- c(12, 14.5, 13.8, 17.1, 20.2); se <- c(.9, .7, .8, .6, 1.1)
share <- population / sum(population); rank <- cumsum(share) - share / 2; m <- sum(share * rank)
slope <- share * (rank - m) / sum(share * (rank - m)^2); start <- share - m * slope; top <- start + slope; q <- qnorm(c(.025, .975))
put("slope_none", "sii", c("low", "high"), sum(slope * v) + q * sqrt(sum((slope * se)^2)))
fieller <- function(p) uniroot(function(r) pnorm(0, sum((top - r * start) * v), sqrt(sum(((top - r * start) * se)^2))) - p, c(.5, 5), tol = 1e-13)$root
put("slope_none", "rii", c("low", "high"), c(fieller(.025), fieller(.975)))
lv <- log(v); ls <- se / v
put("slope_log", "rii", c("low", "high"), exp(sum(slope * lv) + q * sqrt(sum((slope * ls)^2))))
set.seed(4); drawn <- matrix(rnorm(1e7, lv, ls), nrow = 5); a <- colSums(start * drawn); b <- colSums(top * drawn)
put("slope_log", "sii", c("low", "high"), quantile(exp(b) - exp(a), c(.025, .975)))

out <- do.call(rbind, rows)
out$value <- formatC(out$value, digits = 17, format = "g", width = 1)
write.csv(out, "resampling_expected.csv", row.names = FALSE, quote = FALSE)
