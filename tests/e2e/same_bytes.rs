//! A run is a function: the same inputs give the same bytes, on any number of threads.

use crate::place::{Place, assert_same};

#[test]
fn releases_are_equal_byte_for_byte_on_one_two_and_three_threads() {
    let places: Vec<Place> = ["1", "2", "3"]
        .into_iter()
        .map(|threads| {
            let place = Place::region(3_000);
            place.run(&["--threads", threads]);
            place
        })
        .collect();
    let first = places[0].current().expect("a release");
    for other in &places[1..] {
        assert_same(&first, &other.current().expect("a release"));
    }
    // From derived tables deleted, deliveries kept: the same again.
    std::fs::remove_dir_all(places[1].path().join("store/derived")).expect("derived tables");
    places[1].run(&["--force"]);
    assert_same(&first, &places[1].current().expect("a release"));
}
