//! The page as people and their tools read it.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "tests fail by panicking; counts are small"
)]

mod common;

use common::{plan, read, release};

fn page(folder: &str) -> String {
    let staging = tempfile::tempdir().expect("a folder");
    release(&plan(), staging.path());
    read(&staging.path().join(folder).join("index.html"))
}

#[test]
fn a_trusts_page() {
    let page = page("hf/north");
    let body = page.split_once("</head>").expect("a head").1;
    insta::assert_snapshot!(body);
}

#[test]
fn the_regions_variation_table() {
    let page = page("region");
    let table = page.split_once("<section id=\"variation\"").expect("variation").1;
    insta::assert_snapshot!(table.split_once("</section>").expect("its end").0);
}

#[test]
fn the_regions_picture_of_its_trusts() {
    let page = page("region");
    let figure = page.split_once("<figure>").expect("a picture").1;
    insta::assert_snapshot!(figure.split_once("</figure>").expect("its end").0);
}

#[test]
fn the_small_csv_tables() {
    let staging = tempfile::tempdir().expect("a folder");
    release(&plan(), staging.path());
    insta::assert_snapshot!(read(&staging.path().join("region/variation.csv")));
}

#[test]
fn the_structure_that_assistive_technology_needs() {
    for page in [page("hf/north"), page("region"), page("hf/west")] {
        assert_eq!(page.matches("<h1").count(), 1);
        for landmark in ["<header>", "<nav aria-label=", "<main id=\"content\"", "<footer>"] {
            assert_eq!(page.matches(landmark).count(), 1, "{landmark}");
        }
        assert!(page.contains("<a class=\"skip\" href=\"#content\">"));
        let tables = page.matches("<table>").count();
        assert!(tables > 0);
        assert_eq!(page.matches("<caption>").count(), tables);
        assert_eq!(page.matches("<th").count(), page.matches("scope=\"").count() + page.matches("<thead>").count());
        assert_eq!(page.matches("<svg").count(), page.matches("</desc>").count());
        // Headings never skip a level on the way down.
        let levels: Vec<u32> =
            page.match_indices("<h").filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10)).collect();
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
        // Ids are unique, and every link within the page has its place.
        let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let unique: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len());
        for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(unique.contains(link), "{link}");
        }
    }
}

#[test]
fn the_page_is_whole_by_itself() {
    let page = page("hf/north").replace("http://www.w3.org/2000/svg", "");
    for outside in ["<script", "<link", "<img", "@import", "url(", "http:", "https:", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

/// Relative luminance contrast of WCAG 2.1 for every pair that the style sheet puts on each other.
#[test]
fn colours_have_contrast() {
    let style = include_str!("../templates/style.css");
    for scheme in style.split(":root {").skip(1).take(2) {
        let colour = |name: &str| {
            let value = scheme.split(&format!("--{name}: #")).nth(1).expect("a colour");
            let channel = |i: usize| {
                let byte = f64::from(u8::from_str_radix(&value[i..i + 2], 16).expect("hexadecimal")) / 255.0;
                if byte <= 0.03928 { byte / 12.92 } else { ((byte + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
        };
        let pairs = [
            ("ink", "paper"),
            ("soft", "paper"),
            ("soft", "panel"),
            ("ink", "panel"),
            ("link", "paper"),
            ("link", "panel"),
            ("good", "good-back"),
            ("bad", "bad-back"),
            ("even", "even-back"),
            ("ink", "warn-back"),
        ];
        for (front, back) in pairs {
            let (a, b) = (colour(front), colour(back));
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(contrast >= 4.5, "{front} on {back}: {contrast:.2}");
        }
    }
}
