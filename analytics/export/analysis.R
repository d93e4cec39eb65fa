# Computes the main tables of this study again in base R (4.2 or later; no package) and compares them.
#
#   Rscript analysis.R            run it in the folder that holds it
#
# Reads ../data/wide.csv (one row a case, codes, blank = missing) and questions.csv (which statistic of which columns,
# under which line of estimates.csv). Writes r_estimates.csv with id, field and value, and compares it with
# ../estimates.csv. Ends with exit code 1 when a number differs by more than the tolerance below.

TOLERANCE <- 1e-6  # relative to the larger of 1 and the number; iterated models agree less closely than formulas
Z <- qnorm(0.975)

data <- read.csv("../data/wide.csv", na.strings = "", check.names = FALSE, encoding = "UTF-8")
questions <- read.csv("questions.csv", colClasses = "character", na.strings = NULL)
found <- list()
keep <- function(id, ...) {
  values <- unlist(list(...))
  found[[length(found) + 1]] <<- data.frame(id = id, field = names(values), value = as.numeric(values))
}
parts <- function(text) strsplit(text, " ", fixed = TRUE)[[1]]

# Cohen's kappa on the declared codes; standard errors of Fleiss, Cohen and Everitt (1969).
kappa_of <- function(a, b, codes, weights) {
  both <- complete.cases(a, b)
  p <- table(factor(a[both], codes), factor(b[both], codes))
  n <- sum(p)
  p <- unclass(p) / n
  distance <- abs(outer(codes, codes, "-")) / (max(codes) - min(codes))
  w <- switch(weights, unweighted = 1 * (distance == 0), linear = 1 - distance, quadratic = 1 - distance^2)
  row <- rowSums(p)
  col <- colSums(p)
  po <- sum(w * p)
  pe <- sum(w * outer(row, col))
  kappa <- (po - pe) / (1 - pe)
  expected <- outer(as.vector(w %*% col), as.vector(t(w) %*% row), "+")
  ase1 <- sqrt((sum(p * (w - expected * (1 - kappa))^2) - (kappa - pe * (1 - kappa))^2) / n) / (1 - pe)
  ase0 <- sqrt((sum(outer(row, col) * (w - expected)^2) - pe^2) / n) / (1 - pe)
  c(estimate = kappa, ase1 = ase1, ci_low = kappa - Z * ase1, ci_high = kappa + Z * ase1, ase0 = ase0,
    z_approx_t = kappa / ase0, p = 2 * pnorm(-abs(kappa / ase0)), po = po, pe = pe)
}

# ICC(A,1): two-way, absolute agreement, single measures; McGraw and Wong (1996), cases with a value of every reader.
icc_of <- function(x) {
  x <- as.matrix(x[complete.cases(x), ])
  n <- nrow(x)
  k <- ncol(x)
  rows <- k * sum((rowMeans(x) - mean(x))^2) / (n - 1)
  cols <- n * sum((colMeans(x) - mean(x))^2) / (k - 1)
  rest <- sum((x - outer(rowMeans(x), colMeans(x), "+") + mean(x))^2) / ((n - 1) * (k - 1))
  icc <- (rows - rest) / (rows + (k - 1) * rest + k * (cols - rest) / n)
  a <- k * icc / (n * (1 - icc))
  b <- 1 + k * icc * (n - 1) / (n * (1 - icc))
  v <- (a * cols + b * rest)^2 / ((a * cols)^2 / (k - 1) + (b * rest)^2 / ((n - 1) * (k - 1)))
  upper <- qf(0.975, n - 1, v)
  lower <- qf(0.975, v, n - 1)
  share <- k * cols + (k * n - k - n) * rest
  c(estimate = icc, ci_low = n * (rows - upper * rest) / (upper * share + n * rows),
    ci_high = n * (lower * rows - rest) / (share + n * lower * rows))
}

chisq_of <- function(x, y) {
  t <- table(x, y)
  test <- suppressWarnings(chisq.test(t, correct = FALSE))
  c(n = sum(t), chi2 = unname(test$statistic), df = unname(test$parameter), p = test$p.value)
}

# Mann-Whitney U as SPSS has it: tie-corrected, no continuity correction.
mwu_of <- function(x, y) {
  both <- complete.cases(x, y)
  test <- suppressWarnings(wilcox.test(x[both & y == 1], x[both & y == 0], exact = FALSE, correct = FALSE))
  n1 <- sum(y[both] == 1)
  n0 <- sum(y[both] == 0)
  ties <- table(x[both])
  n <- n1 + n0
  z <- (min(test$statistic, n1 * n0 - test$statistic) - n1 * n0 / 2) /
    sqrt(n1 * n0 / 12 * ((n + 1) - sum(ties^3 - ties) / (n * (n - 1))))
  c(n0 = n0, n1 = n1, U = min(test$statistic, n1 * n0 - test$statistic), z = z, p = test$p.value)
}

# Wilcoxon signed rank as SPSS has it: zeros left out, no continuity correction, z never above 0.
signed_rank_of <- function(x, y) {
  d <- (y - x)[complete.cases(x, y)]
  d <- d[d != 0]
  test <- suppressWarnings(wilcox.test(d, exact = FALSE, correct = FALSE))
  c(z = -qnorm(test$p.value / 2, lower.tail = FALSE), p = test$p.value)
}

mcnemar_of <- function(x, y) {
  gained <- sum(x == 0 & y == 1, na.rm = TRUE)
  lost <- sum(x == 1 & y == 0, na.rm = TRUE)
  p <- if (gained + lost == 0) 1 else binom.test(gained, gained + lost)$p.value
  c(gained = gained, lost = lost, p_exact = p)
}

spearman_of <- function(x, y) {
  test <- suppressWarnings(cor.test(x, y, method = "spearman", exact = FALSE))
  n <- sum(complete.cases(x, y))
  rs <- unname(test$estimate)
  fieller <- tanh(atanh(rs) + c(-1, 1) * Z * sqrt(1.06 / (n - 3)))
  t <- rs * sqrt((n - 2) / (1 - rs^2))
  c(n = n, rs = rs, p = 2 * pt(-abs(t), n - 2), ci_low_fieller = fieller[1], ci_high_fieller = fieller[2])
}

# Binary logistic regression. A term is name=column or name=column==code; a name in brackets did not vary.
logistic_of <- function(id, outcome, terms) {
  named <- sub("=.*", "", terms)
  meant <- sub("^[^=]*=", "", terms)
  predictor <- function(text) {
    at <- strsplit(text, "==", fixed = TRUE)[[1]]
    if (length(at) == 1) data[[at]] else 1 * (data[[at[1]]] == as.numeric(at[2]))
  }
  x <- as.data.frame(lapply(meant, predictor), col.names = paste0("x", seq_along(meant)))
  x$y <- data[[outcome]]
  x <- x[complete.cases(x), ]
  left_out <- grepl("^\\(", named)
  x <- x[, c(!left_out, TRUE), drop = FALSE]
  named <- named[!left_out]
  model <- glm(y ~ ., binomial, x, control = glm.control(epsilon = 1e-14, maxit = 100))
  null <- glm(y ~ 1, binomial, x)
  cox <- 1 - exp((deviance(model) - deviance(null)) / nrow(x))
  keep(id, n = nrow(x), n_events = sum(x$y), minus2ll = deviance(model), omnibus_chi2 = deviance(null) - deviance(model),
       omnibus_df = length(named), omnibus_p = pchisq(deviance(null) - deviance(model), length(named), lower.tail = FALSE),
       cox_snell_r2 = cox, nagelkerke_r2 = cox / (1 - exp(-deviance(null) / nrow(x))))
  b <- summary(model)$coefficients
  for (row in seq_len(nrow(b))) {
    wald <- (b[row, 1] / b[row, 2])^2
    keep(paste(id, c("intercept", named)[row], sep = "/"), b = b[row, 1], se = b[row, 2], wald = wald,
         p_wald = pchisq(wald, 1, lower.tail = FALSE), or = exp(b[row, 1]),
         or_ci_low = exp(b[row, 1] - Z * b[row, 2]), or_ci_high = exp(b[row, 1] + Z * b[row, 2]))
  }
  predicted <- fitted(model) > 0.5 + 1e-9
  keep(paste0(id, "/classification"), tp = sum(predicted & x$y == 1), fn = sum(!predicted & x$y == 1),
       tn = sum(!predicted & x$y == 0), fp = sum(predicted & x$y == 0))
}

for (row in seq_len(nrow(questions))) {
  one <- questions[row, ]
  columns <- parts(one$columns)
  x <- data[[columns[1]]]
  y <- if (length(columns) > 1) data[[columns[2]]]
  switch(one$kind,
    kappa_unweighted = ,
    kappa_linear = ,
    kappa_quadratic = keep(one$id, kappa_of(x, y, as.numeric(parts(one$codes)), sub("kappa_", "", one$kind))),
    icc_a1 = keep(one$id, icc_of(data[columns])),
    chisq = keep(one$id, chisq_of(x, y)),
    mwu = keep(one$id, mwu_of(x, y)),
    wilcoxon = keep(one$id, signed_rank_of(x, y)),
    mcnemar = keep(one$id, mcnemar_of(x, y)),
    spearman = keep(one$id, spearman_of(x, y)),
    logistic = logistic_of(one$id, columns[1], parts(one$terms)))
}

found <- do.call(rbind, found)
write.csv(transform(found, value = sprintf("%.17g", value)), "r_estimates.csv", row.names = FALSE, quote = FALSE)
print(found, digits = 6, row.names = FALSE)
if (file.exists("../estimates.csv")) {
  ours <- read.csv("../estimates.csv", colClasses = "character", na.strings = NULL)
  ours <- ours[ours$status == "ok", c("id", "field", "value")]
  both <- merge(found, ours, by = c("id", "field"), suffixes = c("", "_spondy"))
  both$value_spondy <- suppressWarnings(as.numeric(both$value_spondy))
  both$difference <- abs(both$value - both$value_spondy) / pmax(1, abs(both$value_spondy))
  differ <- both[!is.na(both$difference) & both$difference > TOLERANCE, ]
  cat(sprintf("\n%d numbers compared with estimates.csv; the largest difference is %.2g.\n",
              sum(!is.na(both$difference)), max(0, both$difference, na.rm = TRUE)))
  if (nrow(differ)) {
    print(differ, row.names = FALSE)
    quit(status = 1)
  }
}
