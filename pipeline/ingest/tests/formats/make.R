# Adds the SPSS files, by haven 2.5.1. Reads what make.py left for it, and removes it.
library(haven)
files <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "files")
a <- read.csv(file.path(files, "for_r.csv"), encoding = "UTF-8", colClasses = "character", check.names = FALSE)
blank <- function(x) ifelse(x == "", NA, x)
number <- function(x) as.numeric(sub(",", ".", blank(x), fixed = TRUE))
scale <- c("Ikke i det hele tatt" = 1, "I liten grad" = 2, "I noen grad" = 3, "I stor grad" = 4, "I svært stor grad" = 5)
# Every other unanswered question is 99, which the file declares as missing; 98 lies in a range that is missing as well.
item <- function(x, labels) {
  x <- number(x)
  unanswered <- which(is.na(x))
  x[unanswered[seq(1, length(unanswered), 3)]] <- 99
  x[unanswered[seq(2, length(unanswered), 3)]] <- 98
  labelled_spss(x, labels = labels, na_values = 99, na_range = c(97, 98))
}
svar <- data.frame(
  svarid_i_systemet = a$SvarID, # longer than eight letters
  invitasjon = ifelse(a$InvitasjonsID == "", "-", a$InvitasjonsID),
  kontakt = a$KontaktID, enhet = a$Enhet,
  startet = as.POSIXct(a$Startet, "%d.%m.%Y %H:%M", tz = "UTC"),
  svardato = as.Date(a$Svardato, "%d.%m.%Y"),
  mate = labelled(ifelse(a$`Svarmåte` == "Papir", 1, 2), c(Papir = 1, Digitalt = 2)),
  sprak = a$`Språk`,
  lyttet = item(a$Lyttet, c(scale, "Ikke aktuelt" = 9)), omsorg = item(a$Omsorg, c(scale, "Ikke aktuelt" = 9)),
  tid = item(a$Tid, scale), helse = item(a$Helse, scale),
  symptomer = a$Symptomer, vekt = number(a$Vekt), ventetid = number(a$Ventetid), samtykke = number(a$Samtykke),
  # A text of several segments, which nothing reads.
  notat = strrep("x", ifelse(seq_len(nrow(a)) == 1, 300, 0))
)
svar$invitasjon <- labelled_spss(svar$invitasjon, labels = c("Ingen" = "-"), na_values = "-")
write_sav(svar, file.path(files, "bytes.sav"), compress = "byte")
write_sav(svar, file.path(files, "answers.zsav"), compress = "zsav")
write_sav(svar, file.path(files, "plain.sav"), compress = "none")
for (name in c("bytes.sav", "plain.sav")) system2("zstd", c("-q", "-f", "-19", "--rm", file.path(files, name)))
unlink(file.path(files, "for_r.csv"))
