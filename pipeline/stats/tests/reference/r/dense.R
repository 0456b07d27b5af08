# The delicate kernels again, from dense matrices, integrals and definitions, on small data with a fixed seed.
#   Rscript dense.R        writes dense_*.csv beside itself
# Nothing here uses the algebra that the program uses: covariance matrices are inverted whole, likelihoods are integrated.
suppressMessages({library(metafor); library(clubSandwich)})
options(digits = 17)
rows <- list()
put <- function(case, quantity, name, value)
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, name = as.character(name), value = as.numeric(value))
table <- function(file, d) write.csv(d, file, row.names = FALSE, quote = FALSE)

# ---- 12 wards in 6 hospitals; wards of 2 to 31 rows, three adjusters; `still` has less variation between wards than chance ----
set.seed(990017)
n <- c(4, 31, 2, 17, 9, 23, 6, 12, 3, 27, 8, 14)
ward <- rep(seq_along(n), n); hospital_of <- c(1, 1, 2, 2, 2, 3, 4, 4, 5, 5, 6, 6); hospital <- hospital_of[ward]
N <- length(ward)
age <- round(rnorm(N, 60 + ward, 14)); acute <- rbinom(N, 1, .3 + .03 * ward); health <- sample(1:5, N, TRUE)
y <- round(70 + rnorm(6, 0, 4)[hospital] + rnorm(12, 0, 3)[ward] + .1 * age - 4 * acute + 2 * health + rnorm(N, 0, 11), 1)
e <- rnorm(N, 0, 9); still <- round(60 + .05 * age + e - .98 * ave(e, ward), 1)
event <- rbinom(N, 1, plogis(-.6 + rnorm(12, 0, .8)[ward] + .02 * (age - 65) + .4 * acute))
d <- data.frame(ward, hospital, age, acute, health, y, still, event)
table("dense_rows.csv", d)
X <- cbind(1, age, acute, health); p <- ncol(X); Z <- model.matrix(~ 0 + factor(ward)); H <- model.matrix(~ 0 + factor(hospital))
ref <- c(64, .5, 3)

# Everything about y at given variance ratios, from the whole covariance matrix over sigma^2.
dense <- function(y, theta, reml = TRUE) {
  V <- diag(N); if (theta[1] > 0) V <- V + theta[1]^2 * tcrossprod(Z); if (length(theta) > 1) V <- V + theta[2]^2 * tcrossprod(H)
  Vi <- solve(V); A <- t(X) %*% Vi %*% X; b <- solve(A, t(X) %*% Vi %*% y); r <- y - X %*% b; q <- drop(t(r) %*% Vi %*% r)
  m <- if (reml) N - p else N
  crit <- as.numeric(determinant(V)$modulus) + (if (reml) as.numeric(determinant(A)$modulus) else 0) + m * (1 + log(2 * pi * q / m))
  list(criterion = crit, beta = drop(b), s2 = q / m, Vi = Vi, A = A, r = r, V = V)
}
for (t in c(0, .02, .3, 1.7)) { put("profile_y", "reml", t, dense(y, t)$criterion); put("profile_y", "ml", t, dense(y, t, FALSE)$criterion); put("profile_still", "reml", t, dense(still, t)$criterion) }
# A fit at the boundary: ordinary least squares.
l <- lm(still ~ age + acute + health)
put("still", "theta_best", "", optimize(function(t) dense(still, t)$criterion, c(0, 3), tol = 1e-10)$minimum)
put("still", "criterion", "", -2 * as.numeric(logLik(l, REML = TRUE)))
for (i in 1:p) { put("still", "beta", i, coef(l)[i]); put("still", "se", i, sqrt(vcov(l)[i, i])) }
put("still", "sigma", "", summary(l)$sigma)

# The averaged shrunken value: b at a reference given theta by conditioning the joint normal, then integrals over theta.
# beta = the within-unit one (fixed, with its own covariance), or the model's own.
w <- lm(y ~ age + acute + health + factor(ward)); bw <- coef(w)[2:4]; Vw <- vcov(w)[2:4, 2:4]
ybar <- tapply(y, ward, mean); xbar <- apply(X[, -1], 2, function(v) tapply(v, ward, mean))
own <- function(theta, outcome = y) {            # value and variance of x_ref'beta + b_j by generalised least squares
  g <- dense(outcome, theta); C <- theta^2 * t(Z); bl <- drop(C %*% g$Vi %*% g$r)
  Vb <- solve(g$A); k <- C %*% g$Vi %*% X; xr <- c(1, ref)
  list(m = sum(xr * g$beta) + bl, v = sapply(1:12, function(j) g$s2 * (theta^2 - drop(C[j, ] %*% g$Vi %*% C[j, ]) + drop((xr - k[j, ]) %*% Vb %*% (xr - k[j, ])))))
}
profile_within <- function(theta) {              # REML of y - x'bw with only a mean; bw took three degrees of freedom
  z <- y - drop(X[, -1] %*% bw); V <- diag(N) + theta^2 * tcrossprod(Z); Vi <- solve(V); o <- rep(1, N)
  a <- sum(Vi); mu <- sum(Vi %*% z) / a; r <- z - mu; q <- drop(t(r) %*% Vi %*% r)
  list(criterion = as.numeric(determinant(V)$modulus) + log(a) + (N - 4) * (1 + log(2 * pi * q / (N - 4))), s2 = q / (N - 4))
}
average <- function(log_weight, at) {
  # The weight is theta exp(-criterion/2) d theta: 100 panels of Gauss' five points in log(theta).
  gx <- c(-.9061798459386640, -.5384693101056831, 0, .5384693101056831, .9061798459386640); gw <- c(.2369268850561891, .4786286704993665, .5688888888888889, .4786286704993665, .2369268850561891)
  ends <- seq(-14, 8, length.out = 101); t <- as.vector(outer(gx * diff(ends)[1] / 2, (ends[-1] + ends[-101]) / 2, "+")); w <- rep(gw, 100)
  lw <- sapply(exp(t), log_weight); om <- w * exp(lw - max(lw)) * exp(2 * t); om <- om / sum(om)
  keep <- om > 1e-14; M <- sapply(exp(t[keep]), function(q) { a <- at(q); c(a$m, a$v) }); om <- om[keep]
  m <- drop(M[1:12, ] %*% om); v <- drop((M[13:24, ] + M[1:12, ]^2) %*% om) - m^2
  list(m = m, v = v)
}
save_average <- function(case, a) for (j in 1:12) { put(case, "value", j, a$m[j]); put(case, "se", j, sqrt(a$v[j])) }
save_average("averaged_own", average(function(t) -dense(y, t)$criterion / 2, own))
save_average("averaged_still", average(function(t) -dense(still, t)$criterion / 2, function(t) own(t, still)))

# With the within-unit beta the value is linear in beta; what beta adds is its gradient through V(beta).
fixed <- function(theta, b = bw) {
  z <- y - drop(sweep(X[, -1], 2, ref) %*% b); V <- diag(N) + theta^2 * tcrossprod(Z); Vi <- solve(V); o <- rep(1, N)
  a <- sum(Vi); mu <- sum(Vi %*% z) / a; C <- theta^2 * t(Z); k <- 1 - drop(C %*% Vi %*% o)
  list(m = mu + drop(C %*% Vi %*% (z - mu)), v0 = theta^2 - rowSums((C %*% Vi) * C) + k^2 / a)
}
at_fixed <- function(theta) {
  f <- fixed(theta); G <- sapply(1:3, function(i) fixed(theta, bw + (1:3 == i))$m - f$m)
  list(m = f$m, v = profile_within(theta)$s2 * f$v0 + rowSums((G %*% Vw) * G))
}
save_average("averaged_within", average(function(t) -profile_within(t)$criterion / 2, at_fixed))

# ---- Two levels: wards in hospitals, averaged over both ratios (a product rule of Gauss-Legendre in t/(1 + t)) --------------
gauss <- function(k) { i <- 1:(k - 1); b <- i / sqrt(4 * i^2 - 1); J <- matrix(0, k, k); J[cbind(i, i + 1)] <- b; J[cbind(i + 1, i)] <- b; q <- eigen(J, symmetric = TRUE); list(x = (q$values + 1) / 2, w = q$vectors[1, ]^2) }
G <- gauss(20); total <- 0; first <- second <- matrix(0, 12, 1); hf <- hs <- matrix(0, 6, 1); xr <- c(1, ref); parts <- diag(0, 6, 12); for (j in 1:12) parts[hospital_of[j], j] <- n[j]; parts <- parts / rowSums(parts)
ZT <- Z; HT <- H; hw <- diag(6)[, hospital_of]
nodes <- list(); for (a in 1:20) for (b in 1:20) { th <- c(G$x[a] / (1 - G$x[a]), G$x[b] / (1 - G$x[b])) * .4
  g <- dense(y, th); lw <- -g$criterion / 2 + log(prod(th)) + log(G$w[a] * G$w[b] / ((1 - G$x[a])^2 * (1 - G$x[b])^2))
  C <- th[1]^2 * t(Z) + th[2]^2 * (t(hw) %*% t(H)); P <- th[1]^2 * diag(12) + th[2]^2 * crossprod(hw)
  k <- matrix(xr, 12, 4, byrow = TRUE) - C %*% g$Vi %*% X; S <- g$s2 * (P - C %*% g$Vi %*% t(C) + k %*% solve(g$A) %*% t(k))
  m <- sum(xr * g$beta) + drop(C %*% g$Vi %*% g$r); nodes[[length(nodes) + 1]] <- list(lw = lw, m = m, v = diag(S), hm = drop(parts %*% m), hv = diag(parts %*% S %*% t(parts))) }
lw <- sapply(nodes, `[[`, "lw"); om <- exp(lw - max(lw)); om <- om / sum(om)
avg <- function(m, v) { M <- sapply(nodes, `[[`, m); S <- sapply(nodes, `[[`, v); mm <- drop(M %*% om); list(m = mm, v = drop((S + M^2) %*% om) - mm^2) }
wv <- avg("m", "v"); hv <- avg("hm", "hv")
for (j in 1:12) { put("tree_ward", "value", j, wv$m[j]); put("tree_ward", "se", j, sqrt(wv$v[j])) }
for (j in 1:6) { put("tree_hospital", "value", j, hv$m[j]); put("tree_hospital", "se", j, sqrt(hv$v[j])) }

# ---- Logistic random intercept: the likelihood integrated ward by ward, maximised -------------------------------------------
zz <- (age - 65) / 10
# Simpson's rule on 801 points from -9 to 9: the integrand is smooth and 0 at both ends.
us <- seq(-9, 9, length.out = 801); sw <- c(1, rep(c(4, 2), length.out = 799), 1) * diff(us)[1] / 3 * dnorm(us)
loglik <- function(q) { eta <- q[2] + q[3] * zz + q[4] * acute; sum(sapply(1:12, function(j) { i <- ward == j
  log(sum(sw * exp(colSums(plogis(outer(ifelse(event[i] == 1, 1, -1) * eta[i], rep(1, 801)) + outer(ifelse(event[i] == 1, 1, -1) * q[1], us), log.p = TRUE))))) })) }
o <- optim(c(.7, -.5, .2, .3), function(q) -loglik(q), method = "BFGS", control = list(reltol = 1e-15, maxit = 500))
h <- 1e-3; H4 <- optimHess(o$par, function(q) -loglik(q), control = list(ndeps = rep(h, 4)))
for (it in 1:3) { gr <- sapply(1:4, function(i) (loglik(o$par + h * (1:4 == i)) - loglik(o$par - h * (1:4 == i))) / (2 * h) - 0); o$par <- o$par + solve(H4, gr) }
put("integrated", "loglik", "", loglik(o$par)); put("integrated", "tau", "", abs(o$par[1])); for (i in 1:3) { put("integrated", "beta", i, o$par[i + 1]); put("integrated", "se", i, sqrt(diag(solve(H4)))[i + 1]) }

# ---- CR2 where one ward alone has the adjuster ---------------------------------------------------------------------------------
only <- ifelse(ward == 6, health, 0); l <- lm(y ~ age + acute + only + factor(ward))
for (type in c("CR0", "CR2")) { V <- vcovCR(l, cluster = ward, type = type); for (i in 2:3) put(paste0("alone_", type), "se", i - 1, sqrt(V[i, i])) }
ct <- coef_test(l, vcov = "CR2", cluster = ward, test = "Satterthwaite"); for (i in 2:3) put("alone_CR2", "df", i - 1, ct$df_Satt[i])

# ---- Area level: metafor ---------------------------------------------------------------------------------------------------------
V <- round(rgamma(14, 2, .5) + .3, 3); q <- round(runif(14), 2); a <- round(40 + 6 * q + rnorm(14, 0, 2) + rnorm(14, 0, sqrt(V)), 2)
table("dense_areas.csv", data.frame(value = a, variance = V, z = q))
f <- rma(a, V, mods = ~ q, method = "REML", control = list(threshold = 1e-14, maxiter = 10000)); put("area", "A", "", f$tau2)
for (i in 1:2) { put("area", "beta", i, f$beta[i]); put("area", "se", i, f$se[i]) }; bl <- blup(f); for (i in 1:14) { put("area", "value", i, bl$pred[i]); put("area", "mse", i, bl$se[i]^2 + 2 * V[i]^2 / (f$tau2 + V[i])^3 * 2 / sum(1 / (f$tau2 + V)^2)) }

# ---- Over-dispersed funnel of proportions and ratios ---------------------------------------------------------------------------
x <- c(12, 40, 9, 77, 31, 5, 22, 60, 18, 90); nn <- c(40, 160, 21, 400, 70, 33, 60, 150, 120, 310); ex <- c(10, 52, 7.5, 61, 30, 11, 25, 49, 20, 97)
od <- function(case, yy, s, target, back) { z <- (yy - target) / s; lim <- quantile(z, c(.1, .9), type = 7); z <- pmin(pmax(z, lim[1]), lim[2])
  kap <- integrate(function(u) pmin(abs(u), qnorm(.9))^2 * dnorm(u), -40, 40, rel.tol = 1e-13, subdivisions = 2000)$value
  phi <- sum(z^2) / (10 * kap); W <- 1 / s^2; tau2 <- max(0, (10 * phi - 9) / (sum(W) - sum(W^2) / sum(W)))
  put(case, "phi", "", phi); put(case, "tau2", "", tau2); put(case, "kappa", "", kap); for (j in 1:10) { put(case, "low", j, back(target - qnorm(.975) * sqrt(s[j]^2 + tau2))); put(case, "high", j, back(target + qnorm(.975) * sqrt(s[j]^2 + tau2))) } }
od("funnel_proportion", asin(sqrt(x / nn)), 1 / (2 * sqrt(nn)), asin(sqrt(sum(x) / sum(nn))), function(v) sin(pmin(pmax(v, 0), pi / 2))^2)
od("funnel_ratio", sqrt(x / ex), 1 / (2 * sqrt(ex)), 1, function(v) pmax(v, 0)^2)

# ---- Dobson with repeat events; the slope index on the logit scale ----------------------------------------------------------------
wt <- c(5000, 5500, 2500); pop <- c(900, 1100, 700); v1 <- c(8, 15, 12); v2 <- c(2, 4, 5); v3 <- c(0, 1, 2); ev <- v1 + 2 * v2 + 3 * v3
r <- sum(wt * ev / pop) / sum(wt); va <- sum(wt^2 / pop^2 * (v1 + 4 * v2 + 9 * v3)) / sum(wt)^2; O <- sum(ev)
byar <- function(O, s) { k <- O + (s > 0); k * (1 - 1 / (9 * k) + s * qnorm(.975) / (3 * sqrt(k)))^3 }
put("dobson", "value", "", 1e4 * r); put("dobson", "low", "", 1e4 * (r + sqrt(va / O) * (byar(O, -1) - O))); put("dobson", "high", "", 1e4 * (r + sqrt(va / O) * (byar(O, 1) - O)))
pw <- c(310, 520, 480, 290, 700); pv <- c(.11, .16, .15, .24, .31); rk <- (cumsum(pw) - pw / 2) / sum(pw); l <- lm(qlogis(pv) ~ rk, weights = pw); en <- plogis(c(coef(l)[1], sum(coef(l))))
put("slope_logit", "sii", "", en[2] - en[1]); put("slope_logit", "rii", "", en[2] / en[1])

# ---- BCa of a ratio of sums in two strata, from all 6912 resamples ------------------------------------------------------------------
u <- c(3.1, 7.4, 5.9, 12.2, 2.2, 9.1, 4.7); w2 <- c(1.7, 2.9, 3.3, 4.1, 1.2, 2.6, 2.3); g1 <- as.matrix(expand.grid(1:4, 1:4, 1:4, 1:4)); g2 <- as.matrix(expand.grid(5:7, 5:7, 5:7)); ratio <- function(i) sum(u[i]) / sum(w2[i])
all <- as.vector(apply(g1, 1, function(i) apply(g2, 1, function(k) ratio(c(i, k))))); t0 <- ratio(1:7)
dj <- c(sapply(1:4, function(i) ratio((1:7)[-i])), sapply(5:7, function(i) ratio((1:7)[-i]))); st <- rep(1:2, c(4, 3)); nh <- c(4, 3)[st]; dj <- (ave(dj, st) - dj) * (nh - 1) / nh
ac <- sum(dj^3) / (6 * sum(dj^2)^1.5); z0 <- qnorm(mean(all < t0) + mean(all == t0) / 2); lv <- pnorm(z0 + (z0 + qnorm(c(.025, .975))) / (1 - ac * (z0 + qnorm(c(.025, .975)))))
put("bca", "value", "", t0); put("bca", "se", "", sqrt(mean((all - mean(all))^2))); put("bca", c("low", "high"), "", quantile(all, lv, type = 7))

# ---- Ranks: distribution of each rank by integrating over the unit's own value -------------------------------------------------------
ra <- c(3, 2.5, 1, .2, -1.5); rs <- c(.8, 1.1, .5, 1.4, .6)
for (j in 1:5) { pr <- sapply(0:4, function(k) integrate(function(v) sapply(v, function(q) { pk <- pnorm((ra[-j] - q) / rs[-j]); b <- 1; for (s in pk) b <- c(b, 0) * (1 - s) + c(0, b) * s; b[k + 1] * dnorm(q, ra[j], rs[j]) }), ra[j] - 9 * rs[j], ra[j] + 9 * rs[j], rel.tol = 1e-10)$value)
  put("ranks", "mean", j, sum((1:5) * pr)); put("ranks", "low", j, which(cumsum(pr) >= .025)[1]); put("ranks", "high", j, which(cumsum(pr) >= .975)[1]) }

# ---- Pohar-Perme in a period window, person by person, on the rows and life table of closed.R -------------------------------------------
v <- read.csv("closed_survival.csv"); ages <- c(0, 45, 60, 75, 85) * 365; base <- c(2e-6, 1e-5, 3e-5, 1.1e-4, 4e-4); from <- 700; to <- 1900
hz <- function(i, t) base[findInterval(v$age[i] + t, ages)] * c(1, .7)[v$sex[i]] * (1 - .1 * (findInterval(v$diagnosed[i] + t, c(0, 700, 1400)) - 1))
S <- 1; L <- 0
for (t in 1:900) { on <- which(v$days >= t & v$diagnosed + t - 1 >= from & v$diagnosed + t - 1 < to); if (!length(on)) next
  h0 <- sapply(on, function(i) sum(hz(i, seq_len(t - 1) - 1))); if (t == 1) h0 <- rep(0, length(on)); h <- sapply(on, function(i) hz(i, t - 1)); w0 <- exp(h0); w1 <- exp(h0 + h); dd <- v$dead[on] == 1 & v$days[on] == t
  S <- S * (1 - sum(w1[dd]) / sum(w1)) * exp(.5 * (sum(w0 * h) / sum(w0) + sum(w1 * h) / sum(w1))); L <- L + sum(w1[dd]^2) / sum(w1)^2
  if (t %in% c(60, 300)) { put("period", "survival", t, S); put("period", "se", t, S * sqrt(L)) } }

out <- do.call(rbind, rows)
out$value <- formatC(out$value, digits = 17, format = "g", width = 1)
write.csv(out, "dense_expected.csv", row.names = FALSE, quote = FALSE)
