//! Which Rust types a table's cell may have, and their Arrow counterparts. Missing is null, never NaN.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray},
    datatypes::DataType,
};
use jiff::civil::Date;

/// A type that a column can hold.
pub trait Cell: Sized {
    const NULLABLE: bool;
    fn data_type() -> DataType;
    fn to_array<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef
    where
        Self: 'a;
    /// # Errors
    /// A reason when the array has another type, or a null that this type does not allow.
    fn from_array(array: &ArrayRef) -> Result<Vec<Self>, String>;
}

/// Days from 1970-01-01.
pub(crate) fn days_of(date: Date) -> i32 {
    (date - jiff::civil::date(1970, 1, 1)).get_days()
}

pub(crate) fn date_of(days: i32) -> Result<Date, String> {
    jiff::civil::date(1970, 1, 1)
        .checked_add(jiff::Span::new().try_days(days).map_err(|error| error.to_string())?)
        .map_err(|error| error.to_string())
}

macro_rules! cell {
    ($type:ty, $array:ty, $data_type:expr, $store:expr, $load:expr) => {
        impl Cell for $type {
            const NULLABLE: bool = false;
            fn data_type() -> DataType {
                $data_type
            }
            fn to_array<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef {
                Arc::new(<$array>::from_iter(cells.map(|cell| Some($store(cell)))))
            }
            fn from_array(array: &ArrayRef) -> Result<Vec<Self>, String> {
                Option::<$type>::from_array(array)?
                    .into_iter()
                    .map(|cell| cell.ok_or_else(|| "is null".to_owned()))
                    .collect()
            }
        }

        impl Cell for Option<$type> {
            const NULLABLE: bool = true;
            fn data_type() -> DataType {
                $data_type
            }
            fn to_array<'a>(cells: impl Iterator<Item = &'a Self>) -> ArrayRef {
                Arc::new(<$array>::from_iter(cells.map(|cell| cell.as_ref().and_then(|cell| finite(cell, $store)))))
            }
            fn from_array(array: &ArrayRef) -> Result<Vec<Self>, String> {
                let array = array
                    .as_any()
                    .downcast_ref::<$array>()
                    .ok_or_else(|| format!("is {}, not {}", array.data_type(), $data_type))?;
                array.iter().map(|cell| cell.map($load).transpose()).collect()
            }
        }
    };
}

/// Numbers that are not finite become null: a table never holds NaN or an infinity.
trait MaybeFinite {
    fn is_storable(&self) -> bool {
        true
    }
}
impl MaybeFinite for String {}
impl MaybeFinite for i64 {}
impl MaybeFinite for bool {}
impl MaybeFinite for Date {}
impl MaybeFinite for f64 {
    fn is_storable(&self) -> bool {
        self.is_finite()
    }
}

fn finite<'a, T: MaybeFinite, S>(cell: &'a T, store: impl Fn(&'a T) -> S) -> Option<S> {
    cell.is_storable().then(|| store(cell))
}

cell!(String, StringArray, DataType::Utf8, |cell: &'a String| cell.as_str(), |cell: &str| Ok::<_, String>(
    cell.to_owned()
));
cell!(i64, Int64Array, DataType::Int64, |cell: &'a i64| *cell, Ok::<i64, String>);
cell!(f64, Float64Array, DataType::Float64, |cell: &'a f64| *cell, Ok::<f64, String>);
cell!(bool, BooleanArray, DataType::Boolean, |cell: &'a bool| *cell, Ok::<bool, String>);
cell!(Date, Date32Array, DataType::Date32, |cell: &'a Date| days_of(*cell), date_of);
