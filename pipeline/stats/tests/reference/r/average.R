# Area-level shrinkage averaged over A: dense matrices, integrals over ln A by R's integrate.
#   Rscript average.R        reads dense_areas.csv and closed_areas.csv beside itself, writes average_expected.csv
options(digits = 17)
rows <- list()
put <- function(case, quantity, name, value)
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, name = as.character(name), value = as.numeric(value))

averaged <- function(case, a, V, Z) {
  m <- length(a)
  at <- function(A) {                           # the conditional distribution of the true values, given A, flat in gamma
    S <- diag(A + V); Si <- solve(S); C <- solve(t(Z) %*% Si %*% Z); g <- drop(C %*% t(Z) %*% Si %*% a); r <- a - drop(Z %*% g)
    P <- Si - Si %*% Z %*% C %*% t(Z) %*% Si    # Var(v | a) = A I - A P A with gamma integrated out; E = a - diag(V) P a
    list(w = -.5 * (as.numeric(determinant(S)$modulus) - as.numeric(determinant(C)$modulus) + sum(r * (Si %*% r))),
         mean = a - V * drop(P %*% a), var = V - V^2 * diag(P), b = A / (A + V))
  }
  ts <- seq(log(mean(V)) - 12, log(mean(V)) + 12, length.out = 481); top <- max(sapply(exp(ts), function(A) at(A)$w + log(A)))
  integral <- function(f) {                     # over ln A, in pieces so that no peak is missed
    g <- function(t) sapply(t, function(s) { p <- at(exp(s)); exp(p$w + s - top) * f(p) })
    cuts <- log(mean(V)) + c(-40, -20, -10, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 10, 20, 40, 80)
    sum(mapply(function(l, u) integrate(g, l, u, rel.tol = 1e-12, abs.tol = 0, subdivisions = 2000)$value, head(cuts, -1), cuts[-1]))
  }
  total <- integral(function(p) 1)
  for (j in 1:m) {
    mean <- integral(function(p) p$mean[j]) / total
    put(case, "value", j, mean); put(case, "reliability", j, integral(function(p) p$b[j]) / total)
    put(case, "mse", j, integral(function(p) p$var[j] + (p$mean[j] - mean)^2) / total)
  }
}

d <- read.csv("dense_areas.csv"); averaged("covariate", d$value, d$variance, cbind(1, d$z)); averaged("mean", d$value, d$variance, cbind(rep(1, nrow(d))))
k <- 1:5; averaged("five", d$value[k], d$variance[k], cbind(rep(1, 5)))
d <- read.csv("closed_areas.csv"); flat <- 62 + .2 * sqrt(d$variance) * scale(d$value)[, 1]; averaged("flat", flat, d$variance, cbind(rep(1, nrow(d))))
write.csv(do.call(rbind, rows), "average_expected.csv", row.names = FALSE, quote = FALSE)
