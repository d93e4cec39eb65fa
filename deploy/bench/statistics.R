# What `./run bench statistics` compares Spondy with: the same coefficients as a statistician writes them in R, with
# base R, psych, pROC, MASS and boot. It reads one command a line and answers with one line of JSON: the seconds the
# work took (loading of packages and tables not counted) and the numbers, so that both sides can be seen to agree.
#
#   load FOLDER          clinical.csv and gradings.csv as `manage.py simulate` writes them
#   paper                what plan `paper` prints of agreement, pain, findings and the four models
#   NAME REPLICATES      boot::boot of kappa, icc, auc or optimism
#   check NAME FILE      the same statistic on the given resamples, one a line, counted from 1

suppressPackageStartupMessages({
  library(boot)
  library(pROC)
  library(psych)
  library(MASS)
})

success <- function(before, after) {
  share <- ifelse(before > 0, 100 * (before - after) / before, NA)
  ifelse(is.na(share), NA, as.numeric(share >= 50))
}

load_study <- function(folder) {
  clinical <- read.csv(file.path(folder, "clinical.csv"))
  gradings <- read.csv(file.path(folder, "gradings.csv"))
  clinical <- clinical[order(clinical$case_id), ]
  of <- function(reader) {
    own <- gradings[gradings$reader == reader, ]
    own[match(clinical$case_id, own$case_id), ]
  }
  clinical$success_15min <- success(clinical$nrs_baseline, clinical$nrs_15min)
  clinical$success_1month <- success(clinical$nrs_baseline, clinical$nrs_1month)
  list(clinical = clinical, R1 = of("R1"), R2 = of("R2"))
}

SCALES <- list(
  contrast_pattern = c("peri", "intra", "trans"), segment_degeneration = c("uni", "multi"),
  pfirrmann = 1:5, modic_type1 = 0:1, weishaupt = 0:3, bartynski = 0:4, lee = 0:3, meyerding = 0:4,
  isthmic_bme = 0:1, soft_tissue_edema_cyst = 0:1
)
codes <- function(values, item) match(as.character(values), as.character(SCALES[[item]]))

kappas <- function(a, b, k) {
  shares <- table(factor(a, levels = 1:k), factor(b, levels = 1:k)) / length(a)
  expected <- outer(rowSums(shares), colSums(shares))
  away <- (row(shares) - col(shares))^2
  c(1 - (1 - sum(diag(shares))) / (1 - sum(diag(expected))), 1 - sum(away * shares) / sum(away * expected))
}

icc_a1 <- function(x) {
  n <- nrow(x)
  k <- ncol(x)
  cases <- rowMeans(x)
  readers <- colMeans(x)
  r <- k * var(cases)
  c <- n * var(readers)
  e <- sum((x - outer(cases, readers, "+") + mean(x))^2) / ((n - 1) * (k - 1))
  (r - e) / (r + (k - 1) * e + k * (c - e) / n)
}

predictors <- function(study, reader) {
  own <- study[[reader]]
  data.frame(
    contrast_intra = as.numeric(own$contrast_pattern == "intra"),
    contrast_trans = as.numeric(own$contrast_pattern == "trans"),
    segment_multi = as.numeric(own$segment_degeneration == "multi"),
    own[, c(
      "pfirrmann", "modic_type1", "weishaupt", "bartynski", "lee", "slip_mm", "meyerding", "isthmic_bme",
      "soft_tissue_edema_cyst"
    )]
  )
}
REDUCED <- c("segment_multi", "modic_type1", "slip_mm", "isthmic_bme")
model_table <- function(study, reader, outcome, terms) {
  d <- data.frame(y = study$clinical[[outcome]], predictors(study, reader)[, terms, drop = FALSE])
  d[complete.cases(d), ]
}

judged <- function(y, p) {
  line <- glm(y ~ qlogis(p), family = binomial)
  c(as.numeric(suppressMessages(auc(y, p, direction = "<", quiet = TRUE))), mean((y - p)^2), coef(line)[[2]])
}
optimism <- function(d, i) {
  drawn <- d[i, ]
  model <- glm(y ~ ., family = binomial, data = drawn)
  judged(drawn$y, fitted(model)) - judged(d$y, predict(model, d, type = "response"))
}

STATISTICS <- list(
  kappa = list(
    data = function(s) data.frame(a = codes(s$R1$weishaupt, "weishaupt"), b = codes(s$R2$weishaupt, "weishaupt")),
    of = function(d, i) kappas(d$a[i], d$b[i], 4)
  ),
  icc = list(
    data = function(s) na.omit(cbind(s$R1$slip_mm, s$R2$slip_mm)),
    of = function(d, i) icc_a1(d[i, ])
  ),
  auc = list(
    data = function(s) na.omit(data.frame(y = s$clinical$success_1month, x = s$R1$slip_mm)),
    of = function(d, i) as.numeric(auc(d$y[i], d$x[i], direction = "<", quiet = TRUE))
  ),
  optimism = list(
    data = function(s) model_table(s, "R1", "success_1month", REDUCED),
    of = optimism
  )
)

paper <- function(s) {
  found <- list()
  keep <- function(name, value) found[[name]] <<- as.numeric(value)
  cl <- s$clinical
  for (name in c("age", "bmi", "nrs_baseline", "nrs_15min", "nrs_1month")) {
    x <- cl[[name]][!is.na(cl[[name]])]
    keep(paste0("descriptive/", name, "|mean"), mean(x))
    keep(paste0("descriptive/", name, "|sd"), sd(x))
    quantile(x, type = 6)
    quantile(x, type = 7)
    if (length(x) <= 5000) shapiro.test(x)
  }
  for (pair in list(c("nrs_baseline", "nrs_15min"), c("nrs_baseline", "nrs_1month"), c("nrs_15min", "nrs_1month"))) {
    wilcox.test(cl[[pair[1]]], cl[[pair[2]]], paired = TRUE, exact = FALSE, correct = FALSE)
  }
  mcnemar.test(table(cl$success_15min, cl$success_1month))
  keep("spearman", cor.test(cl$nrs_15min, cl$nrs_1month, method = "spearman", exact = FALSE)$estimate)
  for (item in names(SCALES)) {
    a <- codes(s$R1[[item]], item)
    b <- codes(s$R2[[item]], item)
    k <- length(SCALES[[item]])
    both <- table(factor(a, levels = 1:k), factor(b, levels = 1:k))
    quadratic <- cohen.kappa(both)
    linear <- cohen.kappa(both, w = 1 - abs(row(both) - col(both)) / (k - 1))
    keep(paste0("agreement/", item, "/kappa_unweighted|estimate"), quadratic$kappa)
    if (k == 2 || item == "contrast_pattern") next
    keep(paste0("agreement/", item, "/kappa_quadratic|estimate"), quadratic$weighted.kappa)
    keep(paste0("agreement/", item, "/kappa_linear|estimate"), linear$weighted.kappa)
  }
  slips <- na.omit(cbind(s$R1$slip_mm, s$R2$slip_mm))
  keep("agreement/slip_mm/icc_a1|estimate", psych::ICC(slips, lmer = FALSE)$results$ICC[2])
  binary <- c("segment_degeneration", "modic_type1", "isthmic_bme", "soft_tissue_edema_cyst", "contrast_pattern")
  for (reader in c("R1", "R2")) {
    for (outcome in c("success_15min", "success_1month")) {
      y <- cl[[outcome]]
      p <- c()
      for (item in c(names(SCALES), "slip_mm")) {
        x <- if (item == "slip_mm") s[[reader]]$slip_mm else codes(s[[reader]][[item]], item)
        if (item %in% binary) {
          crossed <- table(factor(x, levels = seq_along(SCALES[[item]])), y)
          crossed <- crossed[rowSums(crossed) > 0, , drop = FALSE]
          p <- c(p, suppressWarnings(chisq.test(crossed, correct = FALSE))$p.value)
          fisher.test(crossed, workspace = 2e6)
        } else {
          found_p <- wilcox.test(x[y == 1], x[y == 0], exact = FALSE, correct = FALSE)$p.value
          keep(paste0("mwu/", reader, "/", item, "/by/", outcome, "|p"), found_p)
          p <- c(p, found_p)
        }
      }
      p.adjust(p, "holm")
      p.adjust(p, "BH")
      d <- model_table(s, reader, outcome, names(predictors(s, reader)))
      model <- glm(y ~ ., family = binomial, data = d, control = glm.control(epsilon = 1e-12))
      estimates <- summary(model)$coefficients
      limits <- suppressMessages(confint(model))
      drop1(model, test = "LRT")
      null <- glm(y ~ 1, family = binomial, data = d)
      (1 - exp((deviance(model) - deviance(null)) / nrow(d))) / (1 - exp(-deviance(null) / nrow(d)))
      curve <- roc(d$y, fitted(model), direction = "<", quiet = TRUE)
      id <- paste0("logistic/default/", reader, "/", outcome)
      keep(paste0(id, "/roc|auc"), auc(curve))
      keep(paste0(id, "/roc|delong_ci_low"), ci.auc(curve)[1])
      for (term in rownames(estimates)[-1]) {
        keep(paste0(id, "/", term, "|b"), estimates[term, 1])
        keep(paste0(id, "/", term, "|or_profile_low"), exp(limits[term, 1]))
      }
    }
  }
  found
}

answer <- function(seconds, values) {
  said <- sprintf("\"%s\":%s", names(values), sapply(values, function(v) {
    if (length(v) == 1 && is.finite(v)) sprintf("%.17g", v) else "null"
  }))
  cat("{\"seconds\":", sprintf("%.6f", seconds), ",\"values\":{", paste(said, collapse = ","), "}}\n", sep = "")
  flush(stdout())
}
timed <- function(work) {
  began <- proc.time()[["elapsed"]]
  found <- work()
  list(seconds = proc.time()[["elapsed"]] - began, found = found)
}

commands <- file("stdin", "r")
study <- NULL
repeat {
  line <- readLines(commands, n = 1)
  if (!length(line)) break
  words <- strsplit(line, " ")[[1]]
  if (words[1] == "load") {
    study <- load_study(words[2])
    answer(0, list(cases = nrow(study$clinical)))
  } else if (words[1] == "paper") {
    done <- timed(function() paper(study))
    answer(done$seconds, done$found)
  } else if (words[1] == "check") {
    one <- STATISTICS[[words[2]]]
    rows <- as.matrix(read.csv(words[3], header = FALSE))
    d <- one$data(study)
    values <- suppressWarnings(apply(rows, 1, function(i) one$of(d, i)))
    answer(0, setNames(as.list(as.vector(values)), paste0("v", seq_along(as.vector(values)))))
  } else {
    one <- STATISTICS[[words[1]]]
    set.seed(1)
    d <- one$data(study)
    done <- timed(function() suppressWarnings(boot(d, one$of, R = as.integer(words[2]))))
    sums <- c(as.list(colMeans(done$found$t)), as.list(apply(done$found$t, 2, sd)))
    answer(done$seconds, setNames(sums, c(paste0("mean", seq_along(done$found$t0)), paste0("sd", seq_along(done$found$t0)))))
  }
}
