# Makes references.csv and the resamples beside it. Run in tests/oracles/prediction: Rscript references.R
# R 4.2.2 of Debian 12 with rms, pROC, MASS, ordinal, VGAM, sandwich, emmeans, epiR.
suppressMessages({
  library(rms); library(pROC); library(MASS); library(ordinal); library(sandwich); library(emmeans); library(epiR)
})
rows <- list()
v <- function(p) paste0("R ", getRversion(), "; ", p, " ", packageVersion(p))
put <- function(id, values, program, call, tolerance, note = "") {
  for (field in names(values)) rows[[length(rows) + 1]] <<- data.frame(
    id = id, field = field, value = format(unname(values[[field]]), digits = 17), program = program, call = call,
    tolerance = tolerance, note = note)
}
base <- paste0("R ", getRversion(), " base")

# ---- data
b <- read.csv("../published/birthwt.csv")
B <- c("age", "lwt", "race_black", "race_other", "smoke", "ptl", "ht", "ui", "ftv")
clinical <- read.csv("../d2/clinical.csv"); gradings <- read.csv("../d2/gradings.csv")
study <- function(reader) {
  g <- merge(clinical, gradings[gradings$reader == reader, ], by = "case_id", all.x = TRUE)
  g <- g[order(g$case_id), ]
  g$segment_multi <- ifelse(g$segment_degeneration == "", NA, as.numeric(g$segment_degeneration == "multi"))
  for (time in c("15min", "1month")) {
    f <- g[[paste0("nrs_", time)]]; base <- g$nrs_baseline; base[!is.na(base) & base == 0] <- NA
    g[[paste0("success_", time)]] <- as.numeric(2 * f <= base)
    g[[paste0("response_", time)]] <- ifelse(is.na(f) | is.na(base), NA, (f == base) + 0)
    k <- ifelse(f > base, 0, ifelse(f == base, 1, ifelse(2 * f > base, 2, ifelse(4 * f > base, 3, ifelse(f > 0, 4, 5)))))
    g[[paste0("response_", time)]] <- k
  }
  g
}
R1 <- study("R1"); R2 <- study("R2")
reduced <- c("segment_multi", "modic_type1", "slip_mm", "isthmic_bme")

# ---- optimism
tight <- glm.control(epsilon = 1e-14, maxit = 60)
ml <- function(x, y) {
  if (var(y) == 0) return(NULL)
  f <- suppressWarnings(glm.fit(cbind(1, x), y, family = binomial(), control = tight))
  k <- f$qr$pivot[seq_len(f$rank)]
  se <- sqrt(diag(chol2inv(f$qr$qr[seq_len(f$rank), seq_len(f$rank), drop = FALSE]))) * c(1, apply(x, 2, sd))[k]
  if (any(se > 1000)) NULL else ifelse(is.na(f$coefficients), 0, f$coefficients) # separated: a standard error without bound
}
judge <- function(y, eta) {
  p <- plogis(eta); called <- p > 0.5 + 1e-9
  line <- suppressWarnings(glm(y ~ eta, family = binomial, control = tight))
  large <- glm(y ~ 1, offset = eta, family = binomial, control = tight)
  null <- sum(y) * log(mean(y)) + sum(1 - y) * log(1 - mean(y)); n <- length(y)
  r2 <- (1 - exp(2 * (null - as.numeric(logLik(line))) / n)) / (1 - exp(2 * null / n))
  c(accuracy = mean(called == y), sensitivity = mean(called[y == 1]), specificity = mean(!called[y == 0]),
    auc = as.numeric(auc(roc(y, round(p, 12), direction = "<", quiet = TRUE))), brier = mean((y - p)^2),
    nagelkerke_r2 = r2, calibration_slope = unname(coef(line)[2]), calibration_intercept = unname(coef(line)[1]),
    calibration_in_the_large = unname(coef(large)))
}
optimism <- function(id, x, y, index) {
  apparent <- judge(y, drop(cbind(1, x) %*% ml(x, y)))
  both <- lapply(seq_len(nrow(index)), function(r) {
    i <- index[r, ]; beta <- ml(x[i, ], y[i]); if (is.null(beta)) return(NULL)
    eta <- drop(cbind(1, x) %*% beta)
    list(judge(y[i], eta[i]), judge(y, eta))
  })
  kept <- both[!sapply(both, is.null)]
  training <- do.call(rbind, lapply(kept, `[[`, 1)); test <- do.call(rbind, lapply(kept, `[[`, 2))
  call <- "glm.fit in each resample; judged on it and on the original cases"
  put(id, c(replicates = nrow(index), n_failed = nrow(index) - length(kept)), base, call, 1e-12)
  for (m in names(apparent)) {
    gap <- training[, m] - test[, m]
    q <- quantile(gap, c(0.025, 0.975), names = FALSE)
    program <- if (m == "auc") v("pROC") else base
    put(paste(id, m, sep = "/"), c(apparent = apparent[[m]], training = mean(training[, m]), test = mean(test[, m]),
      optimism = mean(gap), corrected = apparent[[m]] - mean(gap), ci_low = apparent[[m]] - q[2],
      ci_high = apparent[[m]] - q[1]), program, call, 1e-8)
  }
}
xb <- as.matrix(b[B]); yb <- b$low
set.seed(404); index <- t(replicate(200, sample(189, replace = TRUE)))
write.table(index - 1, "birthwt_resamples.csv", sep = ",", row.names = FALSE, col.names = FALSE)
optimism("optimism/birthwt", xb, yb, index)
d <- datadist(b); options(datadist = "d")
full <- lrm(reformulate(B, "low"), data = b, x = TRUE, y = TRUE, eps = 1e-9, maxit = 50)
# Six predictors of which no resample is separated: rms keeps separated resamples where its fit stops early enough.
six <- c("age", "lwt", "race_black", "race_other", "smoke", "ui")
optimism("optimism/birthwt_six", xb[, six], yb, index)
short <- lrm(reformulate(six, "low"), data = b, x = TRUE, y = TRUE, eps = 1e-9, maxit = 50)
set.seed(404); w <- validate(short, B = 200)
names_ <- c(Dxy = "auc", R2 = "nagelkerke_r2", Intercept = "calibration_intercept", Slope = "calibration_slope", B = "brier")
for (m in names(names_)) {
  z <- unclass(w)[m, c("index.orig", "training", "test", "optimism", "index.corrected")]
  if (m == "Dxy") z <- c((z[1:3] + 1) / 2, z[4] / 2, (z[5] + 1) / 2)
  put(paste0("optimism/birthwt_six/", names_[[m]]), setNames(z, c("apparent", "training", "test", "optimism", "corrected")),
      v("rms"), "set.seed(404); validate(lrm(...), B=200), AUC = (Dxy+1)/2", 1e-6)
}
red <- R2[complete.cases(R2[c(reduced, "success_15min")]), ]
xr <- as.matrix(red[reduced]); yr <- red$success_15min
set.seed(405); ir <- t(replicate(200, sample(nrow(red), replace = TRUE)))
write.table(ir - 1, "d2_reduced_resamples.csv", sep = ",", row.names = FALSE, col.names = FALSE)
optimism("optimism/d2/reduced/R2/success_15min", xr, yr, ir)

# ---- calibration: predictions of the bwt model with halved slopes, so that they are wrong
eta <- predict(full) / 2; p <- plogis(eta)
write.table(format(p, digits = 17), "birthwt_half_predictions.csv", row.names = FALSE, col.names = FALSE, quote = FALSE)
c_ <- val.prob(p, yb, pl = FALSE)
put("calibration/birthwt/line", c(brier = c_[["Brier"]], spiegelhalter_z = c_[["S:z"]], spiegelhalter_p = c_[["S:p"]]),
    v("rms"), "val.prob(p, y)", 1e-9)
put("calibration/birthwt/line", c(intercept = c_[["Intercept"]], slope = c_[["Slope"]]), v("rms"), "val.prob(p, y)", 1e-6)
line <- glm(yb ~ eta, family = binomial, control = tight); large <- glm(yb ~ 1, offset = eta, family = binomial, control = tight)
q <- qnorm(0.975)
put("calibration/birthwt/line", c(intercept = coef(line)[[1]], slope = coef(line)[[2]],
  slope_low = coef(line)[[2]] - q * sqrt(vcov(line)[2, 2]), slope_high = coef(line)[[2]] + q * sqrt(vcov(line)[2, 2]),
  in_the_large = coef(large)[[1]], in_the_large_low = coef(large)[[1]] - q * sqrt(vcov(large)[1, 1]),
  in_the_large_high = coef(large)[[1]] + q * sqrt(vcov(large)[1, 1]),
  unreliability_chi2 = 2 * (as.numeric(logLik(line)) - sum(yb * eta - log1p(exp(eta))))), base,
  "glm(y ~ eta), glm(y ~ 1, offset=eta)", 1e-8)
lo <- lowess(p, yb, iter = 0, delta = 0)
for (k in c(1, 40, 95, 150, 189)) put("calibration/birthwt/curve", setNames(c(lo$x[k], lo$y[k]), paste0(c("x", "y"), k)), base,
  "lowess(p, y, iter=0, delta=0)", 1e-8)
own <- lo$y[match(round(p, 12), round(lo$x, 12))]; gap <- abs(own - p)
put("calibration/birthwt/curve", c(mean_distance = mean(gap), p90_distance = quantile(gap, 0.9, names = FALSE),
  greatest_distance = max(gap)), base, "lowess(p, y, iter=0, delta=0) - p", 1e-8)

# ---- net benefit
for (t in c(0.1, 0.3, 0.5)) {
  nb <- function(on) sum(yb[on]) / 189 - sum(1 - yb[on]) / 189 * t / (1 - t)
  u <- (p >= t) * (yb - (1 - yb) * t / (1 - t))
  put(paste0("decision/birthwt/", t), c(model = nb(p >= t), treat_all = nb(rep(TRUE, 189)),
    model_low = mean(u) - q * sd(u) / sqrt(189), model_high = mean(u) + q * sd(u) / sqrt(189),
    avoided = (nb(p >= t) - nb(rep(TRUE, 189))) / (t / (1 - t))), base, "formula: Vickers & Elkin 2006, p. 568", 1e-10)
}

# ---- ridge
V <- diag(apply(xb, 2, var)); grid <- 2^(-4:10)
tr <- pentrace(full, grid, penalty.matrix = V, which = "aic.c", maxit = 60, noaddzero = TRUE)
a <- tr$results.all
for (k in seq_along(grid)) put(paste0("ridge/birthwt/", grid[k]), c(effective_df = a$df[k], aic_c = a$aic.c[k], aic = a$aic[k],
  bic = a$bic[k]), v("rms"), "pentrace(fit, 2^(-4:10), penalty.matrix=diag(var))", 1e-6)
put("ridge/birthwt", c(penalty = tr$penalty), v("rms"), "pentrace(which='aic.c')", 1e-12)
chosen <- lrm.fit(xb, yb, penalty.matrix = tr$penalty * V, eps = 1e-12, maxit = 60)
for (j in seq_along(c("intercept", B))) put(paste0("ridge/birthwt/term/", c("intercept", B)[j]),
  c(b = chosen$coefficients[[j]], se = sqrt(chosen$var[j, j])), v("rms"), "lrm.fit(x, y, penalty.matrix, eps=1e-12)", 1e-6)

# ---- risks
two <- list(bme = c(24, 84, 32, 50), newcombe_b = c(3, 10, 9, 10), koopman = c(16, 80, 36, 40), none = c(0, 29, 5, 56),
            all = c(16, 80, 40, 40))
for (name in names(two)) {
  t <- two[[name]]; x0 <- t[1]; n0 <- t[2]; x1 <- t[3]; n1 <- t[4]
  w1 <- prop.test(x1, n1, correct = FALSE)$conf.int; w0 <- prop.test(x0, n0, correct = FALSE)$conf.int
  p1 <- x1 / n1; p0 <- x0 / n0
  put(paste0("risk/", name), c(risk_with_low = w1[1], risk_with_high = w1[2], risk_difference = p1 - p0,
    risk_difference_low = p1 - p0 - sqrt((p1 - w1[1])^2 + (w0[2] - p0)^2),
    risk_difference_high = p1 - p0 + sqrt((w1[2] - p1)^2 + (p0 - w0[1])^2)), base,
    "formula: Newcombe 1998, method 10, on prop.test(correct=FALSE)", 1e-8)
  if (min(x0, x1, n0 - x0, n1 - x1) > 0) {
    e <- suppressWarnings(epi.2by2(c(x1, n1 - x1, x0, n0 - x0), method = "cohort.count"))$massoc.detail
    put(paste0("risk/", name), c(risk_ratio = e$RR.strata.wald$est, risk_ratio_katz_low = e$RR.strata.wald$lower,
      risk_ratio_katz_high = e$RR.strata.wald$upper, odds_ratio = e$OR.strata.wald$est,
      odds_ratio_woolf_low = e$OR.strata.wald$lower, odds_ratio_woolf_high = e$OR.strata.wald$upper), v("epiR"),
      "epi.2by2()$massoc.detail, RR.strata.wald, OR.strata.wald", 1e-8)
  }
  score <- function(theta) { # Koopman 1984, by the restricted maximum of the likelihood found numerically
    ll <- function(p) dbinom(x1, n1, min(1, theta * p), log = TRUE) + dbinom(x0, n0, p, log = TRUE)
    p <- optimize(ll, c(0, min(1, 1 / theta)), maximum = TRUE, tol = 1e-14)$maximum; e <- theta * p
    (x1 - n1 * e)^2 / (n1 * e * (1 - e)) * (1 + n1 * (theta - e) / (n0 * (1 - e))) - qchisq(0.95, 1)
  }
  if (min(x0, x1, n0 - x0, n1 - x1) > 0) { g <- p1 / p0
    put(paste0("risk/", name), c(risk_ratio_koopman_low = uniroot(score, c(g / 50, g * 0.999), tol = 1e-12)$root,
      risk_ratio_koopman_high = uniroot(score, c(g * 1.001, g * 50), tol = 1e-12)$root), base,
      "formula: Koopman 1984, uniroot, optimize", 1e-5, "epi.2by2's RR.strata.score is off: 30.4 where Koopman prints 7.15")
  }
}

# ---- ANCOVA
for (reader in c("R1", "R2")) for (time in c("15min", "1month")) {
  g <- get(reader); g$f <- g[[paste0("nrs_", time)]]
  g <- g[complete.cases(g[c("f", "nrs_baseline", "isthmic_bme", "pfirrmann", "age")]), ]
  g$bme <- factor(g$isthmic_bme, labels = c("no", "yes"))
  m <- lm(f ~ nrs_baseline + bme + age, data = g); s <- summary(m); ci <- confint(m); id <- paste("ancova/bme", reader, time, sep = "/")
  call <- "lm(followup ~ baseline + bme + age)"
  put(id, c(n = nrow(g), r2 = s$r.squared, adjusted_r2 = s$adj.r.squared, residual_sd = s$sigma), base, call, 1e-9)
  robust <- vcovHC(m, type = "HC3"); half <- qt(0.975, m$df.residual)
  terms <- c(intercept = "(Intercept)", baseline = "nrs_baseline", yes = "bmeyes", age = "age")
  for (name in names(terms)) {
    k <- terms[[name]]; z <- s$coefficients[k, ]
    put(paste0(id, "/", name), c(b = z[[1]], se = z[[2]], t = z[[3]], p = z[[4]], ci_low = ci[k, 1], ci_high = ci[k, 2]), base, call, 1e-9)
    se <- sqrt(robust[k, k]); put(paste0(id, "/hc3/", name), c(se = se, p = 2 * pt(-abs(z[[1]] / se), m$df.residual),
      ci_low = z[[1]] - half * se, ci_high = z[[1]] + half * se), v("sandwich"), "vcovHC(lm, type='HC3')", 1e-9)
  }
  cross <- anova(m, update(m, . ~ . + nrs_baseline:bme))
  put(id, c(parallel_f = cross$F[2], parallel_p = cross$`Pr(>F)`[2]), base, "anova(lm, lm with baseline:bme)", 1e-8)
  e <- as.data.frame(emmeans(m, "bme"))
  for (k in 1:2) put(paste0(id, "/mean/", e$bme[k]), c(mean = e$emmean[k], se = e$SE[k], ci_low = e$lower.CL[k],
    ci_high = e$upper.CL[k]), v("emmeans"), "emmeans(lm, 'bme')", 1e-9)
  g$pf <- factor(g$pfirrmann); m3 <- lm(f ~ nrs_baseline + pf, data = g); dr <- anova(update(m3, . ~ . - pf), m3)
  put(paste("ancova/pfirrmann", reader, time, sep = "/"), c(finding_f = dr$F[2], finding_df = dr$Df[2], finding_p = dr$`Pr(>F)`[2]),
      base, "anova(lm without, lm with factor(pfirrmann))", 1e-8)
}

# ---- proportional odds
partial <- function(g, own, m) {
  # Likelihood-ratio test against coefficients of `own` that differ between thresholds, by a general optimiser.
  x <- scale(as.matrix(g[P])); y <- as.integer(g$o); J <- nlevels(g$o); s <- attr(x, "scaled:scale")
  alpha <- m$alpha - sum(m$beta[P] * attr(x, "scaled:center"))
  full <- function(par) {
    border <- outer(-drop(x %*% par[J:(J + 2)]), par[1:(J - 1)], "+")
    border[, -1] <- border[, -1] - x[, own, drop = FALSE] %*% t(matrix(par[-(1:(J + 2))], J - 2))
    cbind(0, plogis(border), 1)
  }
  own_log <- function(par, k) { f <- full(par); i <- seq_along(k); log(f[cbind(i, k + 1)] - f[cbind(i, k)]) }
  minus <- function(par) { v <- suppressWarnings(-sum(own_log(par, y))); if (is.finite(v)) v else 1e10 }
  par <- c(alpha, m$beta[P] * s, rep(0, (J - 2) * length(own))); df <- (J - 2) * length(own)
  slope <- colSums(jacobian(function(at) own_log(at, y), par)); expected <- 0
  for (k in 1:J) { # every class each case could have been in
    d <- jacobian(function(at) own_log(at, rep(k, length(y))), par); f <- full(par)
    expected <- expected + t(d * (f[, k + 1] - f[, k])) %*% d
  }
  score <- drop(slope %*% solve(expected, slope))
  found <- c(parallel_df = df, parallel_score_chi2 = score)
  for (round in 1:40) {
    f <- optim(par, minus, method = if (round %% 4 == 0) "Nelder-Mead" else "BFGS",
               control = list(reltol = 1e-15, maxit = 20000)); par <- f$par
  }
  if (min(apply(full(par), 1, diff)) < -1e-8) return(found) # thresholds cross: no likelihood
  chi2 <- -2 * (as.numeric(logLik(m)) + f$value)
  c(found, parallel_lr_chi2 = chi2, parallel_lr_p = pchisq(chi2, df, lower.tail = FALSE))
}
jacobian <- function(f, at, h = 1e-3) sapply(seq_along(at), function(j) { # five points
  e <- replace(numeric(length(at)), j, h); (f(at - 2 * e) - 8 * f(at - e) + 8 * f(at + e) - f(at + 2 * e)) / (12 * h)
})
for (reader in c("R1", "R2")) for (time in c("15min", "1month")) {
  g <- get(reader); g$k <- g[[paste0("response_", time)]]
  P <- c("isthmic_bme", "age", "slip_mm"); g <- g[complete.cases(g[c("k", P)]), ]; g$o <- factor(g$k, ordered = TRUE)
  id <- paste("ordinal", reader, time, sep = "/")
  m <- clm(reformulate(P, "o"), data = g, control = clm.control(gradTol = 1e-10)); null <- clm(o ~ 1, data = g)
  pm <- polr(reformulate(P, "o"), data = g, Hess = TRUE)
  put(id, c(n = nrow(g), classes = nlevels(g$o), minus2ll = -2 * as.numeric(logLik(m)), minus2ll_null = -2 * as.numeric(logLik(null)),
    aic = AIC(m)), v("ordinal"), "clm(response ~ bme + age + slip)", 1e-8)
  put(id, c(minus2ll = pm$deviance), v("MASS"), "polr()", 1e-6)
  dr <- drop1(m, test = "Chisq"); ci <- exp(confint(m, type = "profile")); z <- summary(m)$coefficients
  zp <- summary(pm)$coefficients
  for (k in P) {
    put(paste0(id, "/", k), c(b = z[k, 1], se = z[k, 2], p_wald = z[k, 4]), v("ordinal"), "clm()", 1e-7)
    put(paste0(id, "/", k), c(b = zp[k, 1], se = zp[k, 2]), v("MASS"), "polr(Hess=TRUE)", 1e-3, "optim's numerical Hessian")
    put(paste0(id, "/", k), c(lr_chi2 = dr[k, "LRT"], p_lr = dr[k, "Pr(>Chi)"]), v("ordinal"), "drop1(clm, test='Chisq')", 1e-7)
    put(paste0(id, "/", k), c(or_profile_low = ci[k, 1], or_profile_high = ci[k, 2]), v("ordinal"), "confint(clm, type='profile')",
        2e-3, "interpolated by the package")
    put(paste0(id, "/", k), partial(g, k, m), base, "score test by differences, optim(BFGS), on the partial proportional odds likelihood", 1e-5,
        "ordinal::nominal_test and VGAM::vglm stop here; where vglm does not, it agrees")
  }
  for (k in seq_along(m$alpha)) put(paste0(id, "/threshold/", levels(g$o)[k]), c(b = z[k, 1], se = z[k, 2]), v("ordinal"), "clm()", 1e-7)
  put(id, partial(g, P, m), base, "score test by differences, optim(BFGS), on the non-proportional likelihood", 1e-5)
}
suppressMessages(library(VGAM))
g <- R1; g$k <- g$response_1month; g <- g[complete.cases(g[c("k", P)]), ]; g$o <- factor(g$k, ordered = TRUE)
fits <- lapply(c("TRUE", "FALSE ~ age"), function(w) suppressWarnings(vglm(o ~ isthmic_bme + age + slip_mm,
  cumulative(parallel = as.formula(if (w == "TRUE") "TRUE ~ isthmic_bme + age + slip_mm - 1" else w)), data = g, epsilon = 1e-12,
  maxit = 100)))
put("ordinal/R1/1month/age", c(parallel_lr_chi2 = 2 * (logLik(fits[[2]]) - logLik(fits[[1]]))), v("VGAM"),
    "vglm(cumulative(parallel = FALSE ~ age))", 1e-6)

# ---- change of odds ratios between the readers, same patients, same resamples
shared <- c("isthmic_bme", "slip_mm", "age")
both <- complete.cases(R1[c(shared, "success_15min")]) & complete.cases(R2[shared])
set.seed(406); ic <- t(replicate(200, sample(nrow(R1), replace = TRUE)))
write.table(ic - 1, "d2_patient_resamples.csv", sep = ",", row.names = FALSE, col.names = FALSE)
coefs <- function(g, i) { i <- i[both[i]]; ml(as.matrix(g[i, shared]), g$success_15min[i]) }
one <- coefs(R1, 1:60); two_ <- coefs(R2, 1:60); drawn <- list()
for (r in 1:200) {
  i <- ic[r, ]; i <- i[both[i]]; a1 <- coefs(R1, ic[r, ]); a2 <- coefs(R2, ic[r, ])
  if (!is.null(a1) && !is.null(a2)) {
    flat <- apply(as.matrix(R1[i, shared]), 2, var) == 0 | apply(as.matrix(R2[i, shared]), 2, var) == 0
    drawn[[length(drawn) + 1]] <- ifelse(flat, NA, (a2 - a1)[-1])
  }
}
drawn <- do.call(rbind, drawn)
for (k in seq_along(shared)) {
  own <- drawn[!is.na(drawn[, k]), k]; lim <- quantile(own, c(0.025, 0.975), names = FALSE)
  put(paste0("change/R1/R2/", shared[k]), c(difference = unname(two_[k + 1] - one[k + 1]), se = sd(own), ratio = exp(unname(two_[k + 1] - one[k + 1])),
    ratio_low = exp(lim[1]), ratio_high = exp(lim[2]), replicates_used = length(own)), base,
    "glm.fit of both readers in each resample of patients", 1e-7)
}
write.csv(do.call(rbind, rows), "references.csv", row.names = FALSE)
