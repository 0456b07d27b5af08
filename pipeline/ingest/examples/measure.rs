use jiff::civil::date;
use prem_ingest::{IngestOptions, ingest_file};
use prem_spec::model::*;
use std::{collections::BTreeMap, fs, io::Write, path::PathBuf, time::Instant};
fn column(name: &str, kind: ColumnKind, required: bool) -> Column {
    Column {
        name: name.into(),
        kind,
        required,
        identifying: false,
        eleven_digits_are_pseudonyms: false,
        description: Text::default(),
    }
}
fn main() {
    let rows: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let dir = PathBuf::from(std::env::args().nth(2).unwrap());
    let quoted = std::env::args().nth(3).is_some();
    fs::create_dir_all(dir.join("out")).unwrap();
    let path = dir.join(format!("s_{rows}_{quoted}.csv"));
    let (min, max) = (date(2000, 1, 1), date(2030, 12, 31));
    let codes = |n: i16| ColumnKind::Code {
        codes: (0..n).map(|c| Code { code: c.to_string(), label: Text::default() }).collect(),
    };
    let text = |m, p: Option<&str>| ColumnKind::Text { max_length: m, pattern: p.map(str::to_owned) };
    let mut columns = vec![
        column("contact_id", text(20, None), true),
        column("person_id", text(16, Some("[0-9a-f]{16}")), true),
        column("unit_code", text(12, None), true),
        column("admitted_at", ColumnKind::DateTime { min, max }, true),
        column("discharged_at", ColumnKind::DateTime { min, max }, false),
        column("age", ColumnKind::Integer { min: 0, max: 130 }, true),
        column("sex", codes(10), true),
        column("municipality", text(4, Some("[0-9]{4}")), false),
        column("main_diagnosis", ColumnKind::CodeList { pattern: Some("[A-Z][0-9]{2}[0-9A-Z]{0,3}".into()) }, false),
        column("weight", ColumnKind::Number { min: 0.0, max: 100.0 }, false),
    ];
    for q in 0..10 {
        columns.push(column(&format!("q{q}"), codes(7), false));
    }
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    if !path.exists() {
        let mut f = std::io::BufWriter::new(fs::File::create(&path).unwrap());
        writeln!(f, "{}", names.join(";")).unwrap();
        let mut s = 88172645463325252u64;
        let mut r = move || {
            s ^= s << 13;
            s ^= s >> 7;
            s ^= s << 17;
            s
        };
        for i in 0..rows {
            let d = r() % 28 + 1;
            let m = r() % 12 + 1;
            let q = if quoted { "\"" } else { "" };
            write!(f, "{q}C{i:09}{q};{:016x};{q}W{:04}{q};2024-{m:02}-{d:02}T{:02}:{:02};2025-{m:02}-{d:02}T12:00;{};{};{:04};{}{:02};{},{:03}",
                r(), r() % 900, r() % 24, r() % 60, r() % 100, r() % 3, r() % 5600, (b'A' + (r() % 20) as u8) as char, r() % 100, r() % 10, r() % 1000).unwrap();
            for _ in 0..10 {
                write!(f, ";{}", r() % 7).unwrap();
            }
            writeln!(f).unwrap();
        }
    }
    let dataset = Dataset {
        name: "contacts".into(),
        version: "1.0.0".into(),
        title: Text::default(),
        row: Text::default(),
        key: vec!["contact_id".into()],
        columns,
        rules: vec![Rule {
            id: "order".into(),
            earlier: "admitted_at".into(),
            later: "discharged_at".into(),
            description: Text::default(),
        }],
    };
    let export = Export {
        name: "e".into(),
        dataset: "contacts".into(),
        source: "s".into(),
        files: vec![],
        format: FileFormat::Delimited { separator: ';', quote: '"', encoding: Encoding::Utf8, decimal: ',' },
        mode: DeliveryMode::Upsert,
        sequence: Sequence::FileName,
        questionnaire: None,
        max_bad_share: 0.05,
        extra_columns: ExtraColumns::Ignore,
        missing: vec![],
        date_formats: vec!["%Y-%m-%dT%H:%M".into()],
        columns: BTreeMap::new(),
    };
    let plan = Plan {
        datasets: BTreeMap::from([("contacts".into(), dataset)]),
        exports: BTreeMap::new(),
        questionnaires: BTreeMap::new(),
        indicators: BTreeMap::new(),
        organisation: Organisation { units: vec![] },
    };
    let t = Instant::now();
    let done = ingest_file(&plan, &export, &path, &dir.join("out"), &IngestOptions::default()).unwrap();
    let s = t.elapsed().as_secs_f64();
    let peak =
        fs::read_to_string("/proc/self/status").unwrap().lines().find(|l| l.starts_with("VmHWM")).unwrap().to_owned();
    let cpu = fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = cpu.rsplit(')').next().unwrap().split(' ').collect();
    println!(
        "{:?} {s:.2}s {:.0} rows/s {:.0} MB/s {peak} cpu {}+{} ticks",
        done.counts,
        rows as f64 / s,
        done.bytes as f64 / s / 1e6,
        f[12],
        f[13]
    );
}
