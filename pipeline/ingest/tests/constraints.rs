//! Rules across columns, unique values, periods and places in a sequence, by hand.

use jiff::civil::date;
use prem_ingest::{Limits, RefusalCause};
use prem_spec::model::{
    Column, ColumnKind, Condition, Constraint, Covers, DeliveryMode, OnBreak, PeriodOfFile, Plan, Rule, RuleKind,
    Sequence,
};

use crate::fixture::{GOOD, HEADER, Tried, column, export, ingest, ingest_with, lines, plan, rule};

fn with_rule(rule: Rule) -> Plan {
    let mut plan = plan();
    plan.datasets.get_mut("stays").unwrap().rules = vec![rule];
    plan
}

fn when(column: &str, codes: &[&str]) -> Vec<Condition> {
    vec![Condition { column: column.to_owned(), codes: codes.iter().map(|code| (*code).to_owned()).collect() }]
}

/// A row with some cells replaced.
fn row(changes: &[(usize, &str)]) -> String {
    let mut cells: Vec<&str> = GOOD.split(';').collect();
    changes.iter().for_each(|(place, value)| cells[*place] = value);
    cells.join(";")
}

/// Lines that are kept, of rows that begin at line 2.
fn kept(plan: &Plan, rows: &[String]) -> Vec<usize> {
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let tried = lines(plan, &rows);
    let bad: Vec<i64> = tried.quarantine().iter().map(|row| row.line).collect();
    (2..rows.len() + 2).filter(|line| !bad.contains(&(*line as i64))).collect()
}

#[test]
fn numbers_are_compared_and_a_missing_one_breaks_nothing() {
    let order = RuleKind::LessOrEqual { smaller: "age".to_owned(), larger: "weight".to_owned() };
    let plan = with_rule(rule("lighter", order, OnBreak::Row));
    let cases = [("67", "67"), ("67", "66,99"), ("", "1"), ("67", ""), ("0", "0")];
    let rows: Vec<String> = cases.iter().map(|(age, weight)| row(&[(5, age), (6, weight)])).collect();
    assert_eq!(kept(&plan, &rows), [2, 4, 5, 6]);
}

#[test]
fn a_value_is_required_where_every_condition_holds() {
    let mut conditions = when("sex", &["1", "2"]);
    conditions.extend(when("mode", &["web"]));
    let kind = RuleKind::RequiredIf { column: "age".to_owned(), when: conditions };
    let plan = with_rule(rule("age-known", kind, OnBreak::Row));
    let cases = [("1", "web", ""), ("2", "web", "5"), ("9", "web", ""), ("1", "paper", ""), ("", "web", "")];
    let rows: Vec<String> = cases.iter().map(|(sex, mode, age)| row(&[(2, sex), (3, mode), (5, age)])).collect();
    assert_eq!(kept(&plan, &rows), [3, 4, 5, 6]);
    // A cell that cannot be read is bad in its own way, and not missing.
    let tried = lines(&plan, &[&row(&[(5, "old")])]);
    assert_eq!(tried.counts(), (1, 0, vec![("not-a-number", 1)]));
    assert_eq!(tried.mistakes().len(), 1);
}

#[test]
fn an_answer_that_was_not_asked_for_is_set_to_missing_and_later_rules_see_that() {
    let asked = |id: &str, column: &str, of: &str, codes: &[&str]| {
        rule(id, RuleKind::OnlyIf { column: column.to_owned(), when: when(of, codes) }, OnBreak::Cell)
    };
    let mut plan = with_rule(asked("b-asked", "mode", "sex", &["1"]));
    plan.datasets.get_mut("stays").unwrap().rules.push(asked("c-asked", "age", "mode", &["web"]));
    let rows = [
        row(&[(2, "1"), (3, "web"), (5, "7")]),
        // Neither b nor what b decides about was asked.
        row(&[(2, "2"), (3, "web"), (5, "7")]),
        // The question that decides was left blank: the answers stand.
        row(&[(2, ""), (3, "web"), (5, "7")]),
        row(&[(2, "1"), (3, ""), (5, "7")]),
        row(&[(2, "1"), (3, "paper"), (5, "7")]),
        // A bad row is quarantined whole and counts no cells.
        row(&[(2, "2"), (3, "web"), (5, "x")]),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let tried = lines(&plan, &rows);
    assert_eq!(tried.counts(), (6, 5, vec![("not-a-number", 1)]));
    let answers: Vec<(String, String)> = tried.rows().iter().map(|row| (row[4].clone(), row[6].clone())).collect();
    let expected = [("web", "7"), ("-", "-"), ("web", "7"), ("-", "7"), ("paper", "-")];
    assert_eq!(answers, expected.map(|(mode, age)| (mode.to_owned(), age.to_owned())));
    let cleared = &tried.taken().counts.cleared;
    assert_eq!(cleared["mode"]["rule:b-asked"], 1);
    assert_eq!(cleared["age"]["rule:c-asked"], 2);
}

#[test]
fn a_value_may_be_there_only_with_another() {
    let kind = RuleKind::OnlyIf { column: "discharged".to_owned(), when: when("admitted", &[]) };
    let plan = with_rule(rule("in-before-out", kind, OnBreak::Row));
    assert_eq!(kept(&plan, &[row(&[]), row(&[(7, "")]), row(&[(7, ""), (8, "")])]), [2, 4]);
}

#[test]
fn one_of_several_must_be_there() {
    let kind = RuleKind::OneOfPresent { columns: vec!["age".to_owned(), "weight".to_owned()] };
    let plan = with_rule(rule("measured", kind, OnBreak::Row));
    assert_eq!(kept(&plan, &[row(&[(5, "")]), row(&[(6, "")]), row(&[(5, ""), (6, "NULL")])]), [2, 3]);
}

/// Ingests rows with unique values known as they come, and known at the end alone; both tell the same.
fn both_ways(plan: &Plan, rows: &[&str]) -> Tried {
    let tried = lines(plan, rows);
    let text = format!("{HEADER}\n{}\n", rows.join("\n"));
    let later = ingest_with(plan, text, Limits { unique_values_max: 0, ..Limits::default() });
    assert_eq!(later.counts(), tried.counts());
    assert_eq!(later.rows(), tried.rows());
    assert_eq!(later.taken().counts, tried.taken().counts);
    assert_eq!(later.taken().covered, tried.taken().covered);
    let sorted = |tried: &Tried| {
        let mut mistakes = tried.mistakes();
        mistakes.sort_by_key(|mistake| mistake.0);
        mistakes
    };
    assert_eq!(sorted(&later), tried.mistakes(), "in the order of lines");
    tried
}

#[test]
fn the_first_row_of_a_unique_value_stays() {
    let mut plan = plan();
    for place in [5, 10] {
        plan.datasets.get_mut("stays").unwrap().columns[place].unique = true;
    }
    let rows = [
        row(&[(5, "1"), (10, "01010112345")]),
        row(&[(5, ""), (10, "")]),
        row(&[(5, "01"), (10, "11010112345")]),
        row(&[(5, ""), (10, "")]),
        row(&[(5, "1"), (10, "01010112345")]),
        row(&[(5, "2"), (10, "21010112345")]),
        // Bad otherwise: its value is nobody's.
        row(&[(5, "3"), (2, "7"), (10, "31010112345")]),
        row(&[(5, "3"), (10, "31010112345")]),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let tried = both_ways(&plan, &rows);
    assert_eq!(tried.counts(), (8, 5, vec![("not-a-code", 1), ("not-unique", 2)]));
    let stays: Vec<String> = tried.rows().iter().map(|row| row[0].clone()).collect();
    assert_eq!(stays, ["1", "2", "4", "6", "8"]);
    let text = str::to_owned;
    assert_eq!(
        tried.mistakes()[..3],
        [
            (4, text("age"), text("not-unique"), text("1")),
            (6, text("age"), text("not-unique"), text("1")),
            // The pseudonym of a person is not shown.
            (6, text("person"), text("not-unique"), text("")),
        ]
    );
}

#[test]
fn cells_that_rules_cleared_are_counted_of_rows_that_stay() {
    let only_men = RuleKind::OnlyIf { column: "age".to_owned(), when: when("sex", &["1"]) };
    let mut plan = with_rule(rule("men", only_men, OnBreak::Cell));
    plan.datasets.get_mut("stays").unwrap().columns[1].unique = true;
    let woman = |unit: &str| row(&[(1, unit), (2, "2")]);
    let rows = [woman("W1"), row(&[(1, "W1")]), woman("W1"), woman("W2"), woman("W2"), woman("W2")];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let tried = both_ways(&plan, &rows);
    assert_eq!(tried.counts(), (6, 2, vec![("not-unique", 4)]));
    assert_eq!(tried.taken().counts.cleared["age"]["rule:men"], 2);
    // None is left to be counted.
    let tried = both_ways(&plan, &[&row(&[(1, "W1")]), &woman("W1")]);
    assert!(tried.taken().counts.cleared.is_empty());
}

/// A plan whose deliveries replace months by the day of discharge.
fn monthly(covers: Covers) -> Plan {
    let mut plan = plan();
    let export = export(&mut plan);
    export.mode = DeliveryMode::ReplacePeriod;
    export.period = Some(PeriodOfFile { column: "discharged".to_owned(), covers });
    plan
}

#[test]
fn a_file_covers_the_months_of_its_rows() {
    let rows = [(8, "31.01.2025"), (8, "01.04.2025"), (8, ""), (8, "30.04.2025"), (8, "31.02.2025")];
    let rows: Vec<String> = rows.iter().map(|change| row(&[*change])).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let tried = lines(&monthly(Covers::Rows), &rows);
    let covered = tried.taken().covered.clone();
    let months = [(date(2025, 1, 1), 1), (date(2025, 4, 1), 2)].into();
    assert_eq!(covered, Some(("discharged".to_owned(), months)));
    assert_eq!(lines(&plan(), &rows).taken().covered, None);
}

/// One stray row of another month would replace all of that month.
#[test]
fn each_month_keeps_its_share_of_what_it_replaces() {
    let mut plan = monthly(Covers::Rows);
    let rows = ["31.01.2025", "01.04.2025", "30.04.2025", "", "31.01.2025"].map(|day| row(&[(8, day)]));
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let judge = |plan: &Plan, before: [(i8, u64); 2]| {
        let before = before.map(|(month, rows)| (date(2025, month, 1), rows)).into();
        lines(plan, &rows).taken().too_few_rows_of_a_month(&plan.exports["register"], &before)
    };
    assert_eq!(judge(&plan, [(1, 400), (4, 400)]), None, "no share is demanded");
    export(&mut plan).min_rows_share = 0.5;
    // March is not in the file and is left as it was.
    assert_eq!(judge(&plan, [(1, 4), (3, 400)]), None);
    assert_eq!(judge(&plan, [(1, 4), (4, 19)]), None, "months of few rows come and go");
    let cause = judge(&plan, [(1, 4), (4, 20)]).unwrap();
    let month = Some(date(2025, 4, 1));
    assert_eq!(cause, RefusalCause::TooFewRows { month, kept: 2, rows_before: 20, share_min: 0.5 });
    assert_eq!(cause.code(), "too-few-rows");
    assert!(
        cause.to_string().starts_with("it keeps 2 rows of 2025-04 where the delivery before it kept 20"),
        "{cause}"
    );
}

#[test]
fn a_file_covers_the_period_of_its_name_and_nothing_else() {
    // The fixture's files are called stays_1.csv.
    let refused = lines(&monthly(Covers::FileName(r"stays_(.+)\.csv".to_owned())), &[GOOD]);
    assert!(matches!(refused.cause(), RefusalCause::NoPeriodInName { .. }), "{}", refused.refusal());
    let mut plan = monthly(Covers::FileName(r"stays_(.+)\.csv".to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stays_2025-Q1.csv");
    let rows = [row(&[]), row(&[(8, "01.04.2025")]), row(&[(8, "")])].join("\n");
    std::fs::write(&path, format!("{}\n{rows}\n", crate::fixture::HEADER)).unwrap();
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let taken = prem_ingest::ingest_file(&plan, &plan.exports["register"], &path, &out, &Default::default()).unwrap();
    assert_eq!(taken.counts.quarantined, [("outside-period".to_owned(), 1)].into());
    let first = |month| date(2025, month, 1);
    let rows = |january| Some(("discharged".to_owned(), [(first(1), january), (first(2), 0), (first(3), 0)].into()));
    assert_eq!(taken.covered, rows(1));
    // A month that the file empties had rows.
    export(&mut plan).min_rows_share = 0.5;
    let emptied = taken.too_few_rows_of_a_month(&plan.exports["register"], &[(first(2), 20)].into()).unwrap();
    assert!(emptied.to_string().contains("0 rows of 2025-02"), "{emptied}");
}

#[test]
fn a_column_gives_the_place_in_the_sequence() {
    let placed = |column: &str, rows: &[String]| {
        let mut plan = plan();
        export(&mut plan).sequence = Sequence::Column(column.to_owned());
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        lines(&plan, &rows)
    };
    let place = |column: &str, rows: &[String]| placed(column, rows).taken().sequence.clone().unwrap();
    let [early, late] = ["30.01.2025", "01.02.2025"].map(|day| row(&[(8, day)]));
    assert_eq!(place("discharged", &[late.clone(), early.clone()]), place("discharged", std::slice::from_ref(&late)));
    assert!(place("discharged", &[early]) < place("discharged", &[late]));
    assert_eq!(place("admitted", &[row(&[(7, "2025-01-30T12:15")])]), "2025-01-30T12:15:00.000");
    // Numbers sort as numbers.
    assert!(place("age", &[row(&[(5, "9")])]) < place("age", &[row(&[(5, "10")])]));
    let nowhere = placed("age", &[row(&[(5, "")])]);
    assert!(matches!(nowhere.cause(), RefusalCause::NoSequence { .. }), "{}", nowhere.refusal());
}

/// What a column says of itself is what ingest checks: each demand has a value that breaks it under the demand's own reason.
#[test]
fn every_demand_that_the_dictionary_tells_is_checked() {
    let breaking = |constraint: &Constraint<'_>| match constraint {
        Constraint::Required => "",
        Constraint::MaxLength(_) => "abcdefghijklmnopqrstuvwxyz",
        Constraint::Pattern(_) => "?!",
        Constraint::Codes(_) => "77",
        Constraint::IntegerRange { .. } | Constraint::NumberRange { .. } => "999",
        Constraint::DateRange { .. } => "1999-12-31",
        Constraint::Unique | Constraint::References(_) => "tested apart",
    };
    let plan = plan();
    let mut checked = 0;
    for (place, column) in plan.datasets["stays"].columns.iter().enumerate() {
        let column: &Column = column;
        for constraint in column.constraints() {
            let tried = lines(&plan, &[&row(&[(place, breaking(&constraint))])]);
            let reason = constraint.reason().unwrap();
            assert_eq!(tried.counts(), (1, 0, vec![(reason, 1)]), "{} {constraint:?}", column.name);
            checked += 1;
        }
        if let Some(reason) = column.kind.reason().filter(|_| !matches!(column.kind, ColumnKind::Text { .. })) {
            let tried = lines(&plan, &[&row(&[(place, "x")])]);
            assert_eq!(tried.counts(), (1, 0, vec![(reason, 1)]), "{}", column.name);
        }
    }
    assert_eq!(checked, 13);
}

#[test]
fn a_unique_column_of_many_rows_keeps_the_order_and_the_bytes() {
    let mut plan = crate::fixture::text_plan(&["id", "b"], 20);
    plan.datasets.get_mut("stays").unwrap().columns = vec![
        Column { unique: true, ..column("id", ColumnKind::Integer { min: 0, max: 10_000 }) },
        column("b", ColumnKind::Integer { min: 0, max: 10_000 }),
    ];
    let body: String = (0..20_000).map(|row| format!("{};{}\n", row * 7 % 9_001, row % 10_000)).collect();
    let tried = ingest(&plan, format!("id;b\n{body}"));
    assert_eq!(tried.counts(), (20_000, 9_001, vec![("not-unique", 10_999)]));
    let numbers: Vec<i64> = tried.rows().iter().map(|row| row[0].parse().unwrap()).collect();
    assert!(numbers.is_sorted() && numbers.last() == Some(&9_001));
    assert_eq!(tried.bytes(), ingest(&plan, format!("id;b\n{body}")).bytes());
}
