//! Settings of plugins.

use connect_api::ConfigDef;
use connect_plugins::{converters, predicates, transforms};
use serde_json::{Value as Json, json};

use super::replay;

#[test]
fn plugins_have_javas_settings() {
    replay("definitions.jsonl", 38, |case| {
        let def = definition(case.text("class")).unwrap();
        // A setting of later versions.
        let keys = def.keys().iter().filter(|key| key.name != "schema.content").map(|key| {
            json!({
                "name": key.name,
                "type": key.kind.name(),
                "required": key.is_required(),
                "default": key.default.as_ref().and_then(|value| value.display()),
                "importance": key.importance.name(),
                "group": key.group,
                "order": key.order,
                "width": key.width.name(),
                "display": key.display_name,
            })
        });
        Some(Ok(Json::Array(keys.collect())))
    });
}

fn definition(class: &str) -> Option<ConfigDef> {
    let of_transform = transforms::plugins().into_iter().find(|p| p.class == class).map(|p| (p.config_def)());
    let of_predicate =
        || predicates::plugins().into_iter().find(|p| p.class == class).map(|p| (p.config_def)());
    let of_converter =
        || converters::plugins().into_iter().find(|p| p.class == class).map(|p| (p.config_def)());
    of_transform.or_else(of_predicate).or_else(of_converter)
}
