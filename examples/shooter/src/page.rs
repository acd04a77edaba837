//! The page: one file, to which the packets' table and the rules are added that hold in this server.

use std::fmt::Write;

use netcore::Packet;
use netcore::schema::{Form, Int, Len, Schema, Type};

use crate::rules::{self, Rules, Weapon};
use crate::{Event, Kind};

/// The page, for a server with these rules.
///
/// # Errors
/// When a packet has a field that the page's decoder has no word for: its name.
pub fn page(rules: &Rules) -> Result<String, String> {
    let page = include_str!("page/index.html");
    Ok(page.replace(TABLE, &table(Event::SCHEMA)?).replace(RULES, &rules_in_json(rules)))
}

/// The packets of a schema as JSON, by their ids: `{"1": {"name": "Spawn", "fields": [["id", "i32"], ["x", "f32"]]}}`.
/// A field's type is the name of an integer or a float, `text8` for text with a length of one byte, or the names of an
/// enum's variants with their tags of one byte.
///
/// # Errors
/// When a packet has a field of another type, or is no raw struct: its name.
pub fn table(schema: &Schema) -> Result<String, String> {
    let mut out = String::from("{");
    for (at, packet) in schema.packets.iter().enumerate() {
        let Type::Struct(body) = &*packet.body else { return Err(packet.name.to_string()) };
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(out, "{comma}\n  \"{}\": {{\"name\": \"{}\", \"fields\": [", packet.id, &*packet.name);
        for (at, field) in body.fields.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let ty = word(&field.ty).ok_or_else(|| format!("{}.{}", &*packet.name, &*field.name))?;
            let _ = write!(out, "{comma}[\"{}\", {ty}]", &*field.name);
        }
        out.push_str("]}");
    }
    out.push_str("\n}");
    Ok(out)
}

fn word(ty: &Type) -> Option<String> {
    match ty {
        Type::Int(int) => number(int),
        Type::Float { bytes, form: Form::Little } => Some(format!("\"f{}\"", u16::from(*bytes) * 8)),
        Type::Text(Len::Prefix { int: Int { bytes: 1, signed: false, .. }, .. }) => {
            Some("\"text8\"".to_owned())
        }
        Type::Enum(choice) if choice.tag.is_some_and(|tag| tag.bytes == 1) => {
            let mut out = String::from("{");
            for (at, variant) in choice.variants.iter().enumerate() {
                let comma = if at == 0 { "" } else { ", " };
                let _ = write!(out, "{comma}\"{}\": {}", &*variant.name, variant.tag);
            }
            Some(out + "}")
        }
        _ => None,
    }
}

fn number(int: &Int) -> Option<String> {
    let little = int.form == Form::Little || int.bytes == 1;
    let sign = if int.signed { 'i' } else { 'u' };
    (little && int.bytes <= 4).then(|| format!("\"{sign}{}\"", u16::from(int.bytes) * 8))
}

/// What the page must know of the arena, as JSON.
fn rules_in_json(set: &Rules) -> String {
    let mut weapons = String::new();
    for kind in [None].into_iter().chain(Kind::ALL.map(Some)) {
        let Weapon { dmg, r, speed, rate, pellets } = Weapon::of(kind);
        let name = kind.map_or_else(|| "None".to_owned(), |kind| format!("{kind:?}"));
        let comma = if weapons.is_empty() { "" } else { ", " };
        let _ = write!(
            weapons,
            "{comma}\"{name}\": {{\"dmg\": {dmg}, \"r\": {r}, \"speed\": {speed}, \"rate\": {rate}, \"pellets\": {pellets}}}"
        );
    }
    format!(
        "{{\"width\": {}, \"height\": {}, \"playerRadius\": {}, \"itemRadius\": {}, \"hitRadius\": {}, \"health\": {}, \
         \"topSpeed\": {}, \"deadTime\": {}, \"flight\": {}, \"tickHz\": {}, \"weapons\": {{{weapons}}}}}",
        rules::WIDTH,
        rules::HEIGHT,
        rules::PLAYER_RADIUS,
        rules::ITEM_RADIUS,
        set.hit_radius,
        rules::FULL_HEALTH,
        rules::TOP_SPEED,
        rules::DEAD_TIME,
        rules::FLIGHT,
        set.tick_hz,
    )
}

/// What stands in the file in their places.
const TABLE: &str = "{/* the packets, as the server's schema has them */}";
const RULES: &str = "{/* the rules of this arena */}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_packet_field_by_field() {
        let table: serde_json::Value = serde_json::from_str(&table(Event::SCHEMA).unwrap()).unwrap();
        let packets = table.as_object().unwrap();
        assert_eq!(packets.len(), Event::SCHEMA.packets.len());
        let spawn = serde_json::json!({"name": "Spawn", "fields": [["id", "i32"], ["x", "f32"], ["y", "f32"], ["hp", "f32"]]});
        assert_eq!(packets["1"], spawn);
        let kinds = serde_json::json!({"Gun": 1, "BigGun": 2, "Shotgun": 3, "Minigun": 4});
        assert_eq!(packets["7"]["fields"][2], serde_json::json!(["kind", kinds]));
        assert_eq!(packets["11"]["fields"][1], serde_json::json!(["name", "text8"]));
        assert_eq!(packets["15"]["fields"][0], serde_json::json!(["sent", "f64"]));
    }

    #[test]
    fn a_field_that_the_page_cannot_read_is_named() {
        #[derive(Packet)]
        #[allow(dead_code, reason = "only its schema is looked at")]
        enum Other {
            #[packet(id = 1)]
            Wide { number: u64 },
        }
        assert_eq!(table(Other::SCHEMA), Err("Wide.number".to_owned()));
    }

    #[test]
    fn the_page_has_both_in_its_script() {
        let page = page(&Rules { hit_radius: 33.0, ..Rules::default() }).unwrap();
        assert!(!page.contains(TABLE) && !page.contains(RULES));
        assert!(page.contains("\"hitRadius\": 33,") && page.contains("\"name\": \"PutItem\""));
        let rules: serde_json::Value = serde_json::from_str(&rules_in_json(&Rules::default())).unwrap();
        assert_eq!(rules["weapons"]["None"]["dmg"], 25);
    }
}
