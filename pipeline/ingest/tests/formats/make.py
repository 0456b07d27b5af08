"""Makes the same 500 invented answers in every format that text, Excel, Parquet and FHIR programs write; make.R adds SPSS.

    python3 make.py && Rscript make.R

Written with Python 3.11 or newer, openpyxl 3.1, pandas 3.1, pyarrow 26.0, zstd and gzip of the command line.
"""

import csv, datetime as dt, decimal, gzip, json, random, subprocess
from pathlib import Path

import openpyxl, pandas as pd, pyarrow as pa, pyarrow.parquet as pq

FILES = Path(__file__).parent / "files"
ITEMS = ["listened", "care", "time", "health"]
SYMPTOMS = [1, 2, 3, 7, -9]
random.seed(20250303)


def answer(n):
    started = dt.datetime(2025, 1, 2) + dt.timedelta(minutes=random.randrange(0, 300 * 24 * 60))
    item = lambda codes: random.choice(codes) if random.random() > 0.08 else None
    return {
        "id": f"r{n:04}",
        "invitation": f"i{n:04}" if n % 7 else None,
        "contact": f"c{n * 3 % 1000:04}",
        "unit": random.choice(["MED-Å1", "KIR-Ø2", "FØD-3", "ORT-4"]),
        "started": started,
        "answered": started.date(),
        "mode": random.choice(["Papir", "Digitalt"]),
        "language": random.choice(["nb", "nn", "en", None]),
        "listened": item([1, 2, 3, 4, 5, 9]),
        "care": item([1, 2, 3, 4, 5, 9]),
        "time": item([1, 2, 3, 4, 5]),
        "health": item([1, 2, 3, 4, 5]),
        "symptoms": sorted(random.sample(SYMPTOMS, random.choice([0, 1, 2, 3])), key=SYMPTOMS.index),
        "weight": random.choice([None, round(random.uniform(45, 120), 1), float(random.randrange(45, 120))]),
        "waiting": random.choice([None, random.randrange(0, 400)]),
        "consent": random.choice([True, True, False, None]),
    }


ANSWERS = [answer(n) for n in range(1, 501)]


def blank(value):
    return "" if value is None else str(value)


def number(value, sign):
    return "" if value is None else f"{value:g}".replace(".", sign)


def codes(values):
    return " ".join(map(str, values))


def survey_rows():
    """As a survey system in Norwegian writes them; the columns are not in the order of the dataset."""
    yield ["Språk", "SvarID", "InvitasjonsID", "KontaktID", "Enhet", "Startet", "Svardato", "Svarmåte",
           "Lyttet", "Omsorg", "Tid", "Helse", "Symptomer", "Vekt", "Ventetid", "Samtykke", "Merknad"]
    for a in ANSWERS:
        yield [blank(a["language"]), a["id"], blank(a["invitation"]), a["contact"], a["unit"],
               a["started"].strftime("%d.%m.%Y %H:%M"), a["answered"].strftime("%d.%m.%Y"), a["mode"],
               *(blank(a[item]) for item in ITEMS), codes(a["symptoms"]), number(a["weight"], ","),
               blank(a["waiting"]), {True: "1", False: "0", None: ""}[a["consent"]], ""]


def text(name, encoding, separator=";", end="\r\n", **quotes):
    with open(FILES / name, "w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator, lineterminator=end, **quotes).writerows(survey_rows())


def redcap():
    with open(FILES / "redcap.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        # REDCap writes the minus of a code as an underscore.
        out.writerow(["record_id", "invitation", "contact", "unit", "started", "answered", "mode", "lang", *ITEMS,
                      *(f"symptoms___{str(box).replace('-', '_')}" for box in SYMPTOMS), "weight", "waiting", "consent"])
        for a in ANSWERS:
            out.writerow([a["id"], blank(a["invitation"]), a["contact"], a["unit"], a["started"].strftime("%Y-%m-%d %H:%M"),
                          a["answered"].isoformat(), {"Papir": 1, "Digitalt": 2}[a["mode"]], blank(a["language"]),
                          *(blank(a[item]) for item in ITEMS), *(int(box in a["symptoms"]) for box in SYMPTOMS),
                          number(a["weight"], "."), blank(a["waiting"]), {True: 1, False: 0, None: ""}[a["consent"]]])


def excel():
    book = openpyxl.Workbook()
    book.active.title = "Om filen"
    book.active["A1"] = "Svarene står på neste ark"
    sheet = book.create_sheet("Svar")
    sheet["A1"] = "Uttrekk av svar"
    rows = survey_rows()
    sheet.append([])
    sheet.append(next(rows))
    for a, row in zip(ANSWERS, rows):
        values = [None if value == "" else value for value in row]
        values[5], values[6] = a["started"], a["answered"]
        values[8:12] = [a[item] for item in ITEMS]
        values[12] = a["symptoms"][0] if len(a["symptoms"]) == 1 else codes(a["symptoms"]) or None
        values[13:16] = [a["weight"], a["waiting"], a["consent"]]
        sheet.append(values)
    book.save(FILES / "answers.xlsx")


def frame():
    columns = ["id", "invitation", "contact", "unit", "started", "answered", "mode", "language", *ITEMS, "weight", "waiting",
               "consent"]
    frame = pd.DataFrame([{key: a[key] for key in columns} for a in ANSWERS])
    frame["symptoms"] = [codes(a["symptoms"]) or None for a in ANSWERS]
    return frame


def parquet():
    # As pandas does it unasked: whole numbers with gaps become floats.
    frame().to_parquet(FILES / "pandas.parquet", index=False)
    frame().to_parquet(FILES / "gzip.parquet", index=False, compression="gzip")
    frame().to_parquet(FILES / "lz4.parquet", index=False, compression="lz4")
    table = pa.Table.from_pandas(frame(), preserve_index=False)
    weights = [None if a["weight"] is None else decimal.Decimal(f"{a['weight']:.1f}") for a in ANSWERS]
    types = {"unit": pa.dictionary(pa.int32(), pa.string()), "mode": pa.large_string(), "listened": pa.int8(), "care": pa.uint16(),
             "time": pa.int64(), "health": pa.float32(), "started": pa.timestamp("ms")}
    for name, kind in types.items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table.column(name).cast(kind))
    table = table.set_column(table.schema.get_field_index("weight"), "weight", pa.array(weights, pa.decimal128(5, 1)))
    table = table.append_column("ark", pa.array([[1, 2]] * len(ANSWERS)))
    pq.write_table(table, FILES / "typed.parquet", compression="zstd", row_group_size=77)


def zone(moment):
    """Norwegian time with its offset, every other time in UTC as servers write it."""
    summer = dt.datetime(2025, 3, 30, 2) <= moment < dt.datetime(2025, 10, 26, 3)
    local = moment.replace(tzinfo=dt.timezone(dt.timedelta(hours=2 if summer else 1)))
    if moment.minute % 2:
        return local.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return local.isoformat()


def fhir():
    base = "https://example.org/fhir"
    coding = lambda value: {"valueCoding": {"system": f"{base}/scale", "code": str(value), "display": "svar"}}
    item = lambda link, answers: [{"linkId": link, "answer": answers}] if answers else []
    with open(FILES / "answers.ndjson", "w", encoding="utf-8") as file:
        for n, a in enumerate(ANSWERS):
            resource = {
                "resourceType": "QuestionnaireResponse", "id": f"x{n}",
                "extension": [{"url": f"{base}/unit", "valueString": a["unit"]}, {"url": f"{base}/mode", "valueCode": a["mode"]},
                              {"url": f"{base}/started", "valueDateTime": zone(a["started"])}],
                "identifier": {"system": f"{base}/answers", "value": a["id"]},
                "questionnaire": f"{base}/Questionnaire/ward|1.0", "status": "amended" if n % 50 == 0 else "completed",
                "subject": {"reference": f"Patient/{n}", "display": "Kari Oppdiktet"},
                "authored": zone(a["started"]), "source": {"display": "Kari Oppdiktet"},
                "encounter": {"reference": f"{base}/Encounter/{a['contact']}/_history/2"},
                "item": [
                    {"linkId": "1", "text": "Personalet", "item": [
                        *item("listened", [coding(a["listened"])] if a["listened"] else []),
                        # A question under an answer, as forms with branches write it.
                        {"linkId": "1.2", "answer": [{"valueBoolean": True, "item": [
                            *item("care", [{"valueInteger": a["care"]}] if a["care"] else []),
                            *item("time", [{"valueString": str(a["time"])}] if a["time"] else [])]}]}]},
                    {"linkId": "2", "item": [{"linkId": "2.1", "item": item("health", [coding(a["health"])] if a["health"] else [])}]},
                    *item("symptoms", [coding(code) for code in a["symptoms"]]),
                    *item("weight", [{"valueDecimal": a["weight"]}] if a["weight"] is not None else []),
                    *item("waiting", [{"valueInteger": a["waiting"]}] if a["waiting"] is not None else []),
                    *item("consent", [{"valueBoolean": a["consent"]}] if a["consent"] is not None else []),
                ],
            }
            if a["language"]:
                resource["language"] = a["language"]
            if a["invitation"]:
                resource["basedOn"] = [{"identifier": {"value": a["invitation"]}}]
            file.write(json.dumps(resource, ensure_ascii=False, separators=(",", ":")) + "\n")


text("bom.csv", "utf-8-sig")
text("windows-1252.csv", "cp1252", separator="\t", end="\n")
text("utf-8.csv", "utf-8", end="\n")
text("iso-8859-1.csv", "iso-8859-1", separator="|")
text("quotes.csv", "utf-8", quotechar="'", quoting=csv.QUOTE_ALL)
redcap()
excel()
parquet()
fhir()
with open(FILES / "for_r.csv", "w", encoding="utf-8", newline="") as file:
    csv.writer(file).writerows(survey_rows())
for name in ["utf-8.csv", "answers.xlsx"]:
    with gzip.GzipFile(FILES / f"{name}.gz", "wb", mtime=0) as out:
        out.write((FILES / name).read_bytes())
subprocess.run(["zstd", "-q", "-f", "-19", FILES / "pandas.parquet"], check=True)
# As several threads pack it, with a frame in front that is passed over.
subprocess.run(["pzstd", "-q", "-f", "-19", "--rm", FILES / "quotes.csv"], check=True)
for name in ["utf-8.csv", "iso-8859-1.csv", "answers.ndjson", "redcap.csv"]:
    subprocess.run(["zstd", "-q", "-f", "-19", "--rm", FILES / name], check=True)
