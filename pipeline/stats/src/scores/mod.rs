//! Questionnaire scores and the quality of scales.

pub mod alpha;
pub mod icc;
pub mod item;
pub mod item_analysis;
pub mod items;
pub mod reliability;
pub mod scale;

pub use alpha::{Alpha, Pairing, alpha, feldt_interval};
pub use icc::{OneWay, one_way};
pub use item::{Answer, AnswerCounts, ItemRule};
pub use item_analysis::{ItemStatistics, item_statistics};
pub use items::Items;
pub use reliability::{answers_needed, unit_reliability};
pub use scale::{ScaleDescription, describe_scale, scale_score};
