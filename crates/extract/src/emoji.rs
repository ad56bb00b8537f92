//! The signs that emoticons and Atlassian's own emoji stand for.

/// Given what a page says of an emoji (its sign, its short name such as `:check_mark:`, its old name such as `tick`),
/// gives what is read: the sign, or the short name where there is no sign.
pub fn emoji(sign: &str, short_name: &str, name: &str) -> String {
    if !sign.is_empty() && !sign.starts_with(':') {
        return sign.to_owned();
    }
    let short = |text: &str| text.trim_matches(':').to_ascii_lowercase();
    let names = [short(short_name), short(sign), short(name)];
    let known = names.iter().find_map(|name| {
        let found = SIGNS.iter().find(|(known, _)| known == name)?;
        Some(found.1.to_owned())
    });
    known.unwrap_or_else(|| match (short_name.is_empty(), sign.is_empty()) {
        (false, _) => short_name.to_owned(),
        (true, false) => sign.to_owned(),
        (true, true) => String::new(),
    })
}

const SIGNS: &[(&str, &str)] = &[
    ("check_mark", "✅"),
    ("tick", "✅"),
    ("cross_mark", "❌"),
    ("cross", "❌"),
    ("warning", "⚠️"),
    ("info", "ℹ️"),
    ("information", "ℹ️"),
    ("note", "📝"),
    ("plus", "➕"),
    ("minus", "➖"),
    ("question", "❓"),
    ("question_mark", "❓"),
    ("exclamation", "❗"),
    ("exclamation_mark", "❗"),
    ("light_bulb_on", "💡"),
    ("light-on", "💡"),
    ("light_bulb_off", "💡"),
    ("light-off", "💡"),
    ("yellow_star", "⭐"),
    ("yellow-star", "⭐"),
    ("red_star", "⭐"),
    ("red-star", "⭐"),
    ("green_star", "⭐"),
    ("green-star", "⭐"),
    ("blue_star", "⭐"),
    ("blue-star", "⭐"),
    ("heart", "❤️"),
    ("broken_heart", "💔"),
    ("broken-heart", "💔"),
    ("smile", "🙂"),
    ("slight_smile", "🙂"),
    ("sad", "🙁"),
    ("disappointed", "🙁"),
    ("cheeky", "😛"),
    ("stuck_out_tongue", "😛"),
    ("laugh", "😄"),
    ("smiley", "😄"),
    ("wink", "😉"),
    ("thumbs-up", "👍"),
    ("thumbsup", "👍"),
    ("thumbs-down", "👎"),
    ("thumbsdown", "👎"),
];
