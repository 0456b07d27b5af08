# Areas in a tree (wards in hospitals in trusts) with known sampling variances: metafor's rma.mv, dense matrices, integrals.
#   Rscript areas_nested.R        writes areas_nested_rows.csv and areas_nested_expected.csv beside itself
suppressMessages({library(metafor); library(numDeriv)})
options(digits = 17)
rows <- list()
put <- function(case, quantity, name, value)
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, name = as.character(name), value = as.numeric(value))

# ---- 22 wards in 9 hospitals in 5 trusts; a hospital or trust may be a single ward -----------------------------------------
set.seed(2011)
hospital <- c(1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 6, 7, 7, 7, 8, 8, 9, 9); trust <- c(1, 1, 2, 3, 3, 4, 4, 4, 5)[hospital]
m <- length(hospital); V <- round(rgamma(m, 3, 1) + .4, 3)
level <- rnorm(5, 0, 2.5)[trust] + rnorm(9, 0, 2)[hospital] + rnorm(m, 0, 2.5)
a <- round(70 + level + rnorm(m, 0, sqrt(V)), 3)
# Hospitals that differ less than their wards: twice as far from their hospital, whose own distance is a tenth.
still <- round(70 + 2 * (a - ave(a, hospital)) + .1 * (ave(a, hospital) - 70), 3)
write.csv(data.frame(ward = 1:m, hospital, trust, value = a, still, variance = V), "areas_nested_rows.csv", row.names = FALSE, quote = FALSE)

G <- list(ward = diag(m), hospital = outer(hospital, hospital, "==") + 0, trust = outer(trust, trust, "==") + 0)
one <- rep(1, m)
# What is known of the true values at the variances A (areas first), mu flat: the joint normal conditioned on the estimates.
at <- function(y, A, levels, V) {
  C <- Reduce(`+`, Map(`*`, A, G[levels])); S <- C + diag(V); Si <- solve(S); s1 <- rowSums(Si); c1 <- sum(s1); mu <- sum(s1 * y) / c1; r <- y - mu
  h <- 1 - drop(C %*% s1)
  list(mu = mu, se = 1 / sqrt(c1), criterion = as.numeric(determinant(S)$modulus) + log(c1) + sum(r * (Si %*% r)),
       mean = mu + drop(C %*% Si %*% r), var = diag(C - C %*% Si %*% C) + h^2 / c1, known = diag(C - C %*% Si %*% C), prior = diag(C), Si = Si, P = Si - outer(s1, s1) / c1)
}
# REML by scoring on the variances that are not 0.
estimate <- function(y, levels, V) {
  A <- rep(2, length(levels))
  for (i in 1:2000) {
    g <- at(y, A, levels, V); PG <- lapply(G[levels], function(Z) g$P %*% Z); Py <- drop(g$P %*% y)
    score <- sapply(seq_along(levels), function(l) sum(Py * (G[[levels[l]]] %*% Py)) - sum(diag(PG[[l]])))
    I <- sapply(seq_along(levels), function(l) sapply(seq_along(levels), function(k) sum(PG[[l]] * t(PG[[k]]))))
    free <- A > 0 | score > 0; if (!any(free)) break; step <- rep(0, length(A)); step[free] <- solve(I[free, free, drop = FALSE], score[free])
    new <- pmax(A + step, 0); if (max(abs(new - A)) < 1e-14) break; A <- new
  }
  stopifnot(all(abs(score[A > 0]) < 1e-10), all(score[A == 0] <= 0))
  A
}
plug_in <- function(case, y, levels, V) {
  A <- estimate(y, levels, V); g <- at(y, A, levels, V); I <- matrix(0, length(A), length(A))
  for (l in seq_along(A)) for (k in seq_along(A)) I[l, k] <- sum(diag(g$Si %*% G[[levels[l]]] %*% g$Si %*% G[[levels[k]]])) / 2
  # g3: the weights of the best predictor, differentiated numerically; on both sides of a variance of 0 the formula goes on.
  weights <- function(A) { C <- Reduce(`+`, Map(`*`, A, G[levels])); as.vector(C %*% solve(C + diag(V))) }
  J <- jacobian(weights, A); S <- solve(g$Si); Vbar <- solve(I)
  g3 <- sapply(1:m, function(j) { D <- J[seq(j, m * m, by = m), , drop = FALSE]; sum(Vbar * (t(D) %*% S %*% D)) })
  put(case, "A", levels, A); put(case, "mu", "", g$mu); put(case, "se", "", g$se); put(case, "criterion", "", g$criterion)
  put(case, "value", 1:m, g$mean); put(case, "mse", 1:m, g$var + 2 * g3); put(case, "reliability", 1:m, 1 - g$known / g$prior)
}
gauss <- function(k) { i <- 1:(k - 1); b <- i / sqrt(4 * i^2 - 1); J <- matrix(0, k, k); J[cbind(i, i + 1)] <- b; J[cbind(i + 1, i)] <- b; q <- eigen(J, symmetric = TRUE); list(x = (q$values + 1) / 2, w = q$vectors[1, ]^2) }
# Averaged over the variances, flat: a product rule of Gauss-Legendre in sqrt(A/scale)/(1 + sqrt(A/scale)).
average <- function(y, levels, V, points, scale) {
  q <- gauss(points); t <- q$x / (1 - q$x); v <- scale * t^2; w <- log(q$w) + log(2 * scale * t) - 2 * log(1 - q$x)
  index <- as.matrix(expand.grid(rep(list(1:points), length(levels)))); logs <- numeric(nrow(index))
  M <- K <- R <- matrix(0, nrow(index), length(y))
  for (i in seq_len(nrow(index))) { g <- at(y, v[index[i, ]], levels, V); logs[i] <- -g$criterion / 2 + sum(w[index[i, ]]); M[i, ] <- g$mean; K[i, ] <- g$var; R[i, ] <- 1 - g$known / g$prior }
  om <- exp(logs - max(logs)); om <- om / sum(om); mean <- drop(om %*% M); D <- sweep(M, 2, mean)
  list(value = mean, mse = drop(om %*% (K + D^2)), reliability = drop(om %*% R))
}
averaged <- function(case, y, levels, V, points, fewer, scale) {
  f <- average(y, levels, V, points, scale); other <- average(y, levels, V, fewer, scale)
  cat(case, "gap of", points, "and", fewer, "points:", max(abs(f$value / other$value - 1)), max(abs(f$mse / other$mse - 1)), max(abs(f$reliability / other$reliability - 1)), "\n")
  for (quantity in names(f)) put(case, quantity, 1:m, f[[quantity]])
}
metafor <- function(case, y, random, V) {
  d <- data.frame(y, V, ward = 1:m, hospital, trust)
  fit <- rma.mv(y, V, random = random, data = d, method = "REML", control = list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-15, maxit = 5000))
  A <- rev(fit$sigma2); put(case, "A", names(G)[seq_along(A)], A); put(case, "mu", "", fit$beta); put(case, "se", "", fit$se)
  effects <- ranef(fit); own <- effects[[length(effects)]]
  sum_of <- fit$beta[1] + own$intrcpt + effects[[length(effects) - 1]]$intrcpt[if (length(A) == 2) hospital else match(paste(trust, hospital, sep = "/"), rownames(effects[[length(effects) - 1]]))]
  if (length(A) == 3) sum_of <- sum_of + effects[[1]]$intrcpt[trust]
  put(case, "value", 1:m, sum_of)
}
two <- c("ward", "hospital"); three <- c("ward", "hospital", "trust")
plug_in("two", a, two, V); plug_in("three", a, three, V); plug_in("still", still, two, V)
metafor("metafor_two", a, ~ 1 | hospital/ward, V); metafor("metafor_three", a, ~ 1 | trust/hospital/ward, V)
averaged("averaged_two", a, two, V, 80, 60, 3); averaged("averaged_still", still, two, V, 80, 60, 1)
averaged("averaged_three", a, three, V, 40, 32, 3)
write.csv(do.call(rbind, rows), "areas_nested_expected.csv", row.names = FALSE, quote = FALSE)
