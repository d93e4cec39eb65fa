# Makes references.csv beside it from tables in d2's layout: Rscript references.R FOLDER, where FOLDER/<table>/ holds
# clinical.csv and gradings.csv as tests/unit/analytics/test_awkward_references.py writes them (python -m, see there).
# R 4.2.2 of Debian 12 with psych. What R refuses, and what is not a finite number there, is NA.
suppressMessages(library(psych))
folder <- commandArgs(TRUE)[1]
rows <- list()
base <- paste0("R ", getRversion(), " base")
put <- function(id, field, value, call, tolerance = 1e-8, program = base) {
  number <- suppressWarnings(tryCatch(as.numeric(eval(value, parent.frame())), error = function(e) NA))
  if (length(number) != 1 || !is.finite(number)) number <- NA
  rows[[length(rows) + 1]] <<- data.frame(table = table_name, id = id, field = field,
    value = format(number, digits = 17), program = program, call = call, tolerance = tolerance, note = "")
}
both <- function(a, b) { k <- !is.na(a) & !is.na(b); list(a = a[k], b = b[k]) }

described <- function(name, x) {
  x <- x[!is.na(x)]; id <- paste0("descriptive/", name)
  put(id, "mean", quote(mean(x)), "mean"); put(id, "sd", quote(sd(x)), "sd"); put(id, "median", quote(median(x)), "median")
  for (type in 6:7) for (q in c(25, 75))
    put(id, paste0("q", q, "_type", type), quote(quantile(x, q / 100, type = type)), "quantile")
  put(id, "shapiro_w", quote(shapiro.test(x)$statistic), "shapiro.test", 1e-7)
  put(id, "shapiro_p", quote(shapiro.test(x)$p.value), "shapiro.test", 1e-6)
}
ranked <- function(name, before, after) {
  d <- both(before, after); id <- paste0("wilcoxon/", name)
  put(id, "p", quote(wilcox.test(d$b, d$a, paired = TRUE, exact = FALSE, correct = FALSE)$p.value), "wilcox.test(correct=FALSE)")
  put(id, "p_continuity", quote(wilcox.test(d$b, d$a, paired = TRUE, exact = FALSE)$p.value), "wilcox.test")
}
correlated <- function(name, x, y) {
  d <- both(x, y); id <- paste0("spearman/", name)
  put(id, "rs", quote(cor.test(d$a, d$b, method = "spearman", exact = FALSE)$estimate), "cor.test(method='spearman')")
  put(id, "p", quote({ r <- cor(rank(d$a), rank(d$b)); n <- length(d$a); stopifnot(n > 2)
    2 * pt(-abs(r) * sqrt((n - 2) / (1 - r^2)), n - 2) }), "formula: t of Pearson on ranks")
}
crossed <- function(id, x, y) {
  t <- table(factor(x, 0:1), factor(y, 0:1)); full <- all(rowSums(t) > 0, colSums(t) > 0)
  put(id, "chi2", quote({ stopifnot(full); chisq.test(t, correct = FALSE)$statistic }), "chisq.test(correct=FALSE)")
  put(id, "p", quote({ stopifnot(full); chisq.test(t, correct = FALSE)$p.value }), "chisq.test(correct=FALSE)")
  put(id, "yates_p", quote({ stopifnot(full); chisq.test(t)$p.value }), "chisq.test")
  put(id, "fisher_p", quote({ stopifnot(full); fisher.test(t)$p.value }), "fisher.test", 1e-7)
}
summed <- function(id, x, y) {
  d <- both(x, y); g1 <- d$a[d$b == 1]; g0 <- d$a[d$b == 0]
  put(id, "U1", quote({ stopifnot(length(g1) > 0, length(g0) > 0); wilcox.test(g1, g0, exact = FALSE)$statistic }), "wilcox.test")
  put(id, "p", quote(wilcox.test(g1, g0, exact = FALSE, correct = FALSE)$p.value), "wilcox.test(correct=FALSE)")
}
agreed <- function(item, a, b, levels) {
  d <- both(a, b); t <- table(factor(d$a, levels), factor(d$b, levels)); n <- sum(t); k <- seq_along(levels)
  away <- abs(outer(k, k, "-")) / (length(k) - 1)
  weights <- list(unweighted = (away == 0) + 0, linear = 1 - away, quadratic = 1 - away^2)
  for (kind in names(weights)) {
    id <- paste0("agreement/", item, "/kappa_", kind); w <- weights[[kind]]
    kappa <- function(t) { p <- t / sum(t); pe <- sum(w * outer(rowSums(p), colSums(p)))
      if (abs(1 - pe) < 1e-12) NA else (sum(w * p) - pe) / (1 - pe) }
    put(id, "estimate", quote(kappa(t)), "formula: (po - pe)/(1 - pe) on the declared scale")
    if (sum(rowSums(t) > 0) < 2 || sum(colSums(t) > 0) < 2) next  # no spread to speak of
    slope <- quote({ p <- t / n; g <- p; h <- 1e-5
      for (cell in seq_along(p)) { e <- p * 0; e[cell] <- h; g[cell] <- (kappa(p + e) - kappa(p - e)) / (2 * h) }
      sqrt(max(0, sum(p * g^2) - sum(p * g)^2) / n) })
    put(id, "ase1", slope, "formula: delta method of the multinomial, numerical derivatives", 1e-6)
    if (kind == "unweighted" && sum(diag(t)) < n)
      put(id, "ase1", quote(sqrt(cohen.kappa(unclass(t))$var.kappa)), "psych::cohen.kappa", 1e-7,
        paste("R psych", packageVersion("psych")))
  }
}
measured <- function(a, b) {
  d <- both(a, b); x <- cbind(d$a, d$b); d <- d$a - d$b; n <- length(d); id <- "agreement/slip_mm/bland_altman"
  put(id, "bias", quote({ stopifnot(n > 1); mean(d) }), "mean"); put(id, "sd_diff", quote(sd(d)), "sd")
  put(id, "bias_p", quote(t.test(d)$p.value), "t.test")
  put(id, "bias_ci_low", quote({ stopifnot(n > 1); mean(d) - qt(0.975, n - 1) * sd(d) / sqrt(n) }), "t.test")
  two <- quote({ stopifnot(n > 1); f <- data.frame(v = c(x), s = factor(rep(1:n, 2)), r = factor(rep(1:2, each = n)))
    m <- summary(aov(v ~ s + r, f))[[1]]$"Mean Sq"; c(m, (m[1] - m[3]) / (m[1] + m[3] + 2 * (m[2] - m[3]) / n)) })
  for (place in 1:3) put("agreement/slip_mm/anova", c("ms_subjects", "ms_raters", "ms_error")[place],
    bquote(.(two)[.(place)]), "aov")
  put("agreement/slip_mm/icc_a1", "estimate", bquote(.(two)[4]), "formula on aov: McGraw & Wong ICC(A,1)")
}
modelled <- function(id, y, x) {
  k <- !is.na(y) & !is.na(x); y <- y[k]; x <- x[k]; t <- table(factor(x, 0:1), factor(y, 0:1))
  fitted <- all(t > 0)  # else one class, a constant predictor or separation: the program refuses
  m <- if (fitted) glm(y ~ x, family = binomial, control = list(epsilon = 1e-14, maxit = 50))
  put(id, "minus2ll", quote({ stopifnot(fitted); deviance(m) }), "glm")
  put(paste0(id, "/isthmic_bme"), "b", quote({ stopifnot(fitted); coef(m)[2] }), "glm", 1e-7)
  put(paste0(id, "/isthmic_bme"), "se", quote({ stopifnot(fitted); summary(m)$coefficients[2, 2] }), "glm", 1e-6)
  put(paste0(id, "/isthmic_bme"), "p_lr", quote({ stopifnot(fitted); anova(m, test = "LRT")[2, 5] }), "anova", 1e-7)
}

for (table_name in list.dirs(folder, full.names = FALSE, recursive = FALSE)) {
  clinical <- read.csv(file.path(folder, table_name, "clinical.csv"))
  gradings <- read.csv(file.path(folder, table_name, "gradings.csv"))
  for (name in c("age", "bmi", "nrs_baseline", "nrs_15min", "nrs_1month")) described(name, clinical[[name]])
  success <- list()
  for (time in c("15min", "1month")) {
    before <- clinical$nrs_baseline; after <- clinical[[paste0("nrs_", time)]]
    ranked(paste0("nrs_baseline-nrs_", time), before, after)
    before[!is.na(before) & before == 0] <- NA
    described(paste0("ppr_", time), 100 * (before - after) / before)
    success[[time]] <- as.numeric(2 * after <= before)
  }
  correlated("nrs_15min-nrs_1month", clinical$nrs_15min, clinical$nrs_1month)
  d <- both(success[["15min"]], success[["1month"]])
  gained <- sum(d$a == 0 & d$b == 1); lost <- sum(d$a == 1 & d$b == 0)
  put("mcnemar/success_15min-success_1month", "p_exact", quote({ stopifnot(length(d$a) > 0)
    if (gained + lost == 0) 1 else binom.test(gained, gained + lost)$p.value }), "binom.test")
  own <- lapply(c(R1 = "R1", R2 = "R2"), function(r) {
    g <- gradings[gradings$reader == r, ]; g[match(clinical$case_id, g$case_id), ] })
  for (time in names(success)) {
    for (r in names(own)) {
      by <- paste0("/by/success_", time)
      crossed(paste0("chisq/", r, "/isthmic_bme", by), own[[r]]$isthmic_bme, success[[time]])
      for (item in c("pfirrmann", "lee", "slip_mm"))
        summed(paste0("mwu/", r, "/", item, by), own[[r]][[item]], success[[time]])
      modelled(paste0("logistic/bme_only/", r, "/success_", time), success[[time]], own[[r]]$isthmic_bme)
    }
  }
  agreed("pfirrmann", own$R1$pfirrmann, own$R2$pfirrmann, 1:5)
  agreed("lee", own$R1$lee, own$R2$lee, 0:3)
  agreed("weishaupt", own$R1$weishaupt, own$R2$weishaupt, 0:3)
  measured(own$R1$slip_mm, own$R2$slip_mm)
}
write.csv(do.call(rbind, rows), "references.csv", row.names = FALSE, quote = TRUE)
