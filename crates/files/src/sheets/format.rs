//! Given a number and the format of its cell, gives the text that a sheet shows.

/// The formats of a workbook, and what its dates count from.
#[derive(Default)]
pub struct Formats {
    /// Formats of the workbook's own, by number.
    pub own: std::collections::BTreeMap<u16, String>,
    /// The number of the format of each cell style.
    pub styles: Vec<u16>,
    /// Dates count from 1904, as on early Macs.
    pub from_1904: bool,
}

impl Formats {
    /// What a sheet shows for a value in a cell of this style.
    pub fn shown(&self, value: f64, style: usize) -> String {
        let number = self.styles.get(style).copied().unwrap_or_default();
        let code = self.own.get(&number).map_or_else(|| built_in(number), String::as_str);
        shown(value, code, self.from_1904)
    }
}

/// The formats that every workbook has without naming them.
fn built_in(number: u16) -> &'static str {
    match number {
        1 => "0",
        2 => "0.00",
        3 => "#,##0",
        4 => "#,##0.00",
        5 | 6 => "$#,##0;($#,##0)",
        7 | 8 => "$#,##0.00;($#,##0.00)",
        9 => "0%",
        10 => "0.00%",
        11 => "0.00E+00",
        12 => "# ?/?",
        13 => "# ??/??",
        14 => "m/d/yy",
        15 => "d-mmm-yy",
        16 => "d-mmm",
        17 => "mmm-yy",
        18 => "h:mm AM/PM",
        19 => "h:mm:ss AM/PM",
        20 => "h:mm",
        21 => "h:mm:ss",
        22 => "m/d/yy h:mm",
        27..=31 | 36 | 50..=54 | 57..=58 => "yyyy-mm-dd",
        32..=35 | 55..=56 => "h:mm:ss",
        37 | 38 => "#,##0;(#,##0)",
        39 | 40 => "#,##0.00;(#,##0.00)",
        41 => "#,##0;-#,##0;\"-\"",
        42 => "$#,##0;-$#,##0;$\"-\"",
        43 => "#,##0.00;-#,##0.00;\"-\"",
        44 => "$#,##0.00;-$#,##0.00;$\"-\"",
        45 => "mm:ss",
        46 => "[h]:mm:ss",
        47 => "mm:ss.0",
        48 => "##0.0E+0",
        49 => "@",
        _ => "General",
    }
}

/// The longest format that is followed; Excel takes 255 characters.
const CODE_CHARS_MAX: usize = 1_000;

pub fn shown(value: f64, code: &str, from_1904: bool) -> String {
    if !value.is_finite() {
        return "#NUM!".to_owned();
    }
    if code.len() > CODE_CHARS_MAX {
        return general(value);
    }
    let sections: Vec<Vec<Part>> = sections(code);
    let (section, value) = choose(&sections, value);
    let Some(section) = section else {
        return general(value);
    };
    let is_date = section
        .iter()
        .any(|part| matches!(part, Part::Date(..) | Part::Elapsed(..)));
    let is_general = section.iter().any(|part| matches!(part, Part::General | Part::Text));
    match (is_date, is_general) {
        (true, _) => date(value, section, from_1904).unwrap_or_else(|| general(value)),
        (false, true) => with_general(value, section),
        (false, false) => number(value, section),
    }
}

/// A bit of a format.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    /// `0`, `#` or `?`.
    Digit(char),
    Point,
    Comma,
    Percent,
    /// With whether a plus is shown.
    Exponent(bool),
    Slash,
    General,
    Text,
    /// A letter of dates and how many of it.
    Date(char, usize),
    /// The same, counting beyond a day or an hour.
    Elapsed(char, usize),
    /// Digits of fractions of a second.
    Fraction(usize),
    /// With the marks for before and after noon.
    HalfDay(&'static str, &'static str),
    Condition(Comparison, f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

/// The format's sections, each in parts.
fn sections(code: &str) -> Vec<Vec<Part>> {
    let mut sections = vec![Vec::new()];
    let chars: Vec<char> = code.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let (part, length) = next_part(rest);
        at += length.max(1);
        if rest[0] == ';' {
            sections.push(Vec::new());
            continue;
        }
        if let (Some(part), Some(section)) = (part, sections.last_mut()) {
            section.push(part);
        }
    }
    for section in &mut sections {
        minutes(section);
    }
    sections
}

fn next_part(rest: &[char]) -> (Option<Part>, usize) {
    let starts = |word: &str| {
        let found: String = rest.iter().take(word.chars().count()).collect();
        found.eq_ignore_ascii_case(word)
    };
    match rest[0] {
        '"' => {
            let text: String = rest[1..].iter().take_while(|c| **c != '"').collect();
            let length = text.chars().count() + 2;
            (Some(Part::Literal(text)), length)
        }
        '\\' => (rest.get(1).map(|c| Part::Literal(c.to_string())), 2),
        '_' => (Some(Part::Literal(" ".to_owned())), 2),
        '*' => (None, 2),
        '[' => {
            let inside: String = rest[1..].iter().take_while(|c| **c != ']').collect();
            let length = inside.chars().count() + 2;
            (in_brackets(&inside), length)
        }
        _ if starts("General") => (Some(Part::General), 7),
        _ if starts("AM/PM") => (Some(Part::HalfDay("AM", "PM")), 5),
        _ if starts("A/P") => (Some(Part::HalfDay("A", "P")), 3),
        '0' | '#' | '?' => (Some(Part::Digit(rest[0])), 1),
        '.' => {
            let zeros = rest[1..].iter().take_while(|c| **c == '0').count();
            // Which of the two a point is shows when the section is known to be a date or not.
            match zeros {
                0 => (Some(Part::Point), 1),
                _ => (Some(Part::Fraction(zeros)), 1 + zeros),
            }
        }
        ',' => (Some(Part::Comma), 1),
        '%' => (Some(Part::Percent), 1),
        '/' => (Some(Part::Slash), 1),
        '@' => (Some(Part::Text), 1),
        'E' | 'e' if matches!(rest.get(1), Some('+' | '-')) => (Some(Part::Exponent(rest[1] == '+')), 2),
        letter
            if matches!(
                letter.to_ascii_lowercase(),
                'y' | 'm' | 'd' | 'h' | 's' | 'e' | 'b' | 'g'
            ) =>
        {
            let same = |c: &&char| c.eq_ignore_ascii_case(&letter);
            let count = rest.iter().take_while(same).count();
            (Some(Part::Date(letter.to_ascii_lowercase(), count)), count)
        }
        c => (Some(Part::Literal(c.to_string())), 1),
    }
}

fn in_brackets(inside: &str) -> Option<Part> {
    if let Some(currency) = inside.strip_prefix('$') {
        let symbol = currency.split('-').next().unwrap_or_default();
        return (!symbol.is_empty()).then(|| Part::Literal(symbol.to_owned()));
    }
    let lower = inside.to_ascii_lowercase();
    let letter = lower.chars().next()?;
    if matches!(letter, 'h' | 'm' | 's') && lower.chars().all(|c| c == letter) {
        return Some(Part::Elapsed(letter, lower.len()));
    }
    let (comparison, length) = match inside.as_bytes() {
        [b'<', b'=', ..] => (Comparison::LessOrEqual, 2),
        [b'>', b'=', ..] => (Comparison::GreaterOrEqual, 2),
        [b'<', b'>', ..] => (Comparison::NotEqual, 2),
        [b'<', ..] => (Comparison::Less, 1),
        [b'>', ..] => (Comparison::Greater, 1),
        [b'=', ..] => (Comparison::Equal, 1),
        // A colour, a language, a way to write digits.
        _ => return None,
    };
    inside[length..]
        .trim()
        .parse()
        .ok()
        .map(|number| Part::Condition(comparison, number))
}

/// An `m` beside hours or seconds counts minutes, and any other months. Minutes become `n`.
fn minutes(section: &mut [Part]) {
    let letters: Vec<(usize, char)> = section
        .iter()
        .enumerate()
        .filter_map(|(at, part)| match part {
            Part::Date(letter, _) | Part::Elapsed(letter, _) => Some((at, *letter)),
            _ => None,
        })
        .collect();
    for (order, (at, letter)) in letters.iter().enumerate() {
        let before = order
            .checked_sub(1)
            .and_then(|before| letters.get(before))
            .map(|(_, letter)| *letter);
        let after = letters.get(order + 1).map(|(_, letter)| *letter);
        if *letter == 'm'
            && (before == Some('h') || after == Some('s'))
            && let Some(Part::Date(letter, _)) = section.get_mut(*at)
        {
            *letter = 'n';
        }
    }
}

/// The section for a value, and the value as that section writes it: without its sign where the section has its own.
fn choose(sections: &[Vec<Part>], value: f64) -> (Option<&Vec<Part>>, f64) {
    let condition = |section: &Vec<Part>| {
        section.iter().find_map(|part| match part {
            Part::Condition(comparison, number) => Some((*comparison, *number)),
            _ => None,
        })
    };
    if sections.iter().any(|section| condition(section).is_some()) {
        let fits = |section: &&Vec<Part>| match condition(section) {
            None => true,
            Some((Comparison::Less, number)) => value < number,
            Some((Comparison::LessOrEqual, number)) => value <= number,
            Some((Comparison::Equal, number)) => value == number,
            Some((Comparison::NotEqual, number)) => value != number,
            Some((Comparison::GreaterOrEqual, number)) => value >= number,
            Some((Comparison::Greater, number)) => value > number,
        };
        return (sections.iter().find(fits), value);
    }
    match (sections, value) {
        ([_, negative, ..], value) if value < 0.0 => (Some(negative), value.abs()),
        ([_, _, zero, ..], 0.0) => (Some(zero), value),
        (all, value) => (all.first(), value),
    }
}

/// A number as a cell without a format shows it: up to eleven digits.
pub fn general(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-9..1e11).contains(&size) {
        let text = format!("{value:.5E}");
        let (digits, exponent) = text.split_once('E').unwrap_or((&text, "0"));
        let digits = match digits.contains('.') {
            true => digits.trim_end_matches('0').trim_end_matches('.'),
            false => digits,
        };
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}E{sign}{:02}", exponent.abs());
    }
    let whole_digits = size.log10().floor().max(0.0) as usize + 1;
    let text = format!("{value:.*}", 10_usize.saturating_sub(whole_digits));
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn with_general(value: f64, section: &[Part]) -> String {
    let mut text = String::new();
    for part in section {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::General | Part::Text => text.push_str(&general(value)),
            Part::Percent => text.push('%'),
            _ => {}
        }
    }
    text
}

/// The most digits behind a point; a double has seventeen at all.
const DECIMALS_MAX: usize = 30;

fn number(value: f64, section: &[Part]) -> String {
    let section: Vec<Part> = section
        .iter()
        .flat_map(|part| match part {
            // In a number the zeros behind a point are digits.
            Part::Fraction(zeros) => {
                let digits = std::iter::repeat_n(Part::Digit('0'), *zeros);
                std::iter::once(Part::Point).chain(digits).collect()
            }
            other => vec![other.clone()],
        })
        .collect();
    if section.contains(&Part::Slash) {
        return fraction(value, &section);
    }
    let is_digit = |part: &Part| matches!(part, Part::Digit(_));
    let Some(last_digit) = section.iter().rposition(is_digit) else {
        return without_digits(&section);
    };
    let point = section
        .iter()
        .position(|part| *part == Part::Point)
        .unwrap_or(section.len());
    let exponent = section.iter().position(|part| matches!(part, Part::Exponent(_)));
    let mantissa_end = exponent.unwrap_or(section.len());
    let decimals: Vec<char> = section[point.min(mantissa_end)..mantissa_end]
        .iter()
        .filter_map(digit)
        .take(DECIMALS_MAX)
        .collect();
    let whole: Vec<char> = section[..point.min(mantissa_end)].iter().filter_map(digit).collect();
    // Commas behind the last digit divide by a thousand each; others group.
    let scaling = section[last_digit..]
        .iter()
        .skip(1)
        .take_while(|part| **part == Part::Comma)
        .count();
    let first_digit = section.iter().position(is_digit).unwrap_or_default();
    let grouped = section[first_digit..last_digit].contains(&Part::Comma);
    let percents = section.iter().filter(|part| **part == Part::Percent).count();
    let scaled = value.abs() * 100_f64.powi(percents as i32) / 1_000_f64.powi(scaling as i32);
    let (mantissa, power) = match exponent {
        Some(_) if scaled != 0.0 => {
            let step = whole.len().max(1) as i32;
            let power = (scaled.log10().floor() as i32).div_euclid(step) * step;
            (scaled / 10_f64.powi(power), power)
        }
        _ => (scaled, 0),
    };
    let digits = format!("{mantissa:.*}", decimals.len());
    let (whole_text, decimal_text) = digits.split_once('.').unwrap_or((&digits, ""));
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let whole_text = padded(whole_text, &whole, grouped);
    let decimal_text = trimmed(decimal_text, &decimals);
    let mut text = String::new();
    if value < 0.0 && !is_zero {
        text.push('-');
    }
    let mut whole_written = false;
    for (at, part) in section.iter().enumerate() {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Percent => text.push('%'),
            Part::Digit(_) if at < point.min(mantissa_end) && !whole_written => {
                text.push_str(&whole_text);
                whole_written = true;
            }
            Part::Point if at < mantissa_end => {
                if !whole_written {
                    text.push_str(&whole_text);
                    whole_written = true;
                }
                text.push('.');
                text.push_str(&decimal_text);
            }
            Part::Exponent(plus) => {
                let width = section[at..].iter().filter_map(digit).count();
                let sign = if power < 0 {
                    "-"
                } else if *plus {
                    "+"
                } else {
                    ""
                };
                text.push_str(&format!("E{sign}{:0width$}", power.abs()));
            }
            _ => {}
        }
    }
    text
}

fn digit(part: &Part) -> Option<char> {
    match part {
        Part::Digit(c) => Some(*c),
        _ => None,
    }
}

/// A section that only says something, such as `"none"`.
fn without_digits(section: &[Part]) -> String {
    section
        .iter()
        .map(|part| match part {
            Part::Literal(literal) => literal.as_str(),
            Part::Percent => "%",
            Part::Comma => ",",
            Part::Point => ".",
            _ => "",
        })
        .collect()
}

/// The whole digits with zeros and blanks as the places ask, and commas between thousands.
fn padded(digits: &str, places: &[char], grouped: bool) -> String {
    let digits = if digits == "0" && !places.contains(&'0') {
        ""
    } else {
        digits
    };
    let least = places
        .iter()
        .position(|place| *place == '0')
        .map_or(0, |first| places.len() - first);
    let zeros = "0".repeat(least.saturating_sub(digits.len()));
    let all = format!("{zeros}{digits}");
    if !grouped {
        return all;
    }
    let mut text = String::new();
    for (at, c) in all.chars().enumerate() {
        if at > 0 && (all.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// The digits behind the point without the zeros that `#` does not show.
fn trimmed(digits: &str, places: &[char]) -> String {
    let least = places
        .iter()
        .rposition(|place| *place == '0')
        .map_or(0, |last| last + 1);
    let mut end = digits.len();
    while end > least && digits.as_bytes().get(end - 1) == Some(&b'0') {
        end -= 1;
    }
    digits[..end].to_owned()
}

/// A value as a whole and a fraction: `2 1/2`.
fn fraction(value: f64, section: &[Part]) -> String {
    let slash = section.iter().position(|part| *part == Part::Slash).unwrap_or_default();
    let literal_digits: String = section[slash + 1..]
        .iter()
        .filter_map(|part| match part {
            Part::Literal(text) if text.chars().all(|c| c.is_ascii_digit()) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let places = section[slash + 1..].iter().filter_map(digit).count().clamp(1, 4);
    let before: Vec<&Part> = section[..slash].iter().collect();
    // A blank between digits before the slash divides the whole from the fraction.
    let has_whole = before
        .iter()
        .any(|part| matches!(part, Part::Literal(text) if text == " "))
        && before.iter().filter(|part| matches!(part, Part::Digit(_))).count() > 1;
    let size = value.abs();
    let whole = if has_whole { size.trunc() } else { 0.0 };
    let rest = size - whole;
    let (numerator, denominator) = match literal_digits.parse::<u32>() {
        Ok(denominator) if denominator > 0 => ((rest * f64::from(denominator)).round() as u32, denominator),
        _ => nearest_fraction(rest, 10_u32.pow(places as u32) - 1),
    };
    let sign = if value < 0.0 { "-" } else { "" };
    match (numerator, has_whole) {
        (0, _) => format!("{sign}{whole}"),
        (numerator, true) if numerator == denominator => format!("{sign}{}", whole + 1.0),
        (numerator, true) if whole == 0.0 => format!("{sign}{numerator}/{denominator}"),
        (numerator, true) => format!("{sign}{whole} {numerator}/{denominator}"),
        (numerator, false) => format!("{sign}{numerator}/{denominator}"),
    }
}

fn nearest_fraction(value: f64, denominator_max: u32) -> (u32, u32) {
    let mut best = (0, 1, value.abs());
    for denominator in 1..=denominator_max {
        let numerator = (value * f64::from(denominator)).round();
        let error = (value - numerator / f64::from(denominator)).abs();
        if error + 1e-12 < best.2 {
            best = (numerator as u32, denominator, error);
        }
    }
    (best.0, best.1)
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// The last day that Excel knows, 9999-12-31, counted from 1900.
const DAYS_MAX: f64 = 2_958_466.0;

struct Moment {
    year: i64,
    month: usize,
    day: u32,
    weekday: usize,
    hour: u64,
    minute: u64,
    second: u64,
    fraction: f64,
    /// The whole value in seconds.
    seconds: f64,
}

/// A value as a date and time. Sheets count days from the end of 1899 and believe in a 29 February 1900.
fn moment(value: f64, from_1904: bool, decimals: usize) -> Option<Moment> {
    if !(0.0..DAYS_MAX).contains(&value) {
        return None;
    }
    let days = if from_1904 { value + 1_462.0 } else { value };
    // Rounded to what is shown, so that 59.9996 seconds do not show as 59.
    let unit = 10_f64.powi(decimals as i32);
    let seconds = (days * 86_400.0 * unit).round() / unit;
    let day_number = (seconds / 86_400.0).floor();
    let in_day = seconds - day_number * 86_400.0;
    let serial = day_number as i64;
    let (year, month, day) = match serial {
        0 => (1900, 1, 0),
        60 => (1900, 2, 29),
        // Days since 1970-01-01: day 25,569 of the sheet.
        serial if serial < 60 => civil(serial + 1 - 25_569),
        serial => civil(serial - 25_569),
    };
    let whole = in_day.floor();
    Some(Moment {
        year,
        month: month as usize,
        day,
        weekday: (serial + 6).rem_euclid(7) as usize,
        hour: whole as u64 / 3_600,
        minute: whole as u64 / 60 % 60,
        second: whole as u64 % 60,
        fraction: in_day - whole,
        seconds,
    })
}

/// Year, month and day of a day counted from 1970-01-01.
fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u32, day)
}

fn date(value: f64, section: &[Part], from_1904: bool) -> Option<String> {
    let decimals = section
        .iter()
        .map(|part| if let Part::Fraction(digits) = part { *digits } else { 0 })
        .max();
    let moment = moment(value, from_1904, decimals.unwrap_or_default().min(6))?;
    let half_day = section.iter().any(|part| matches!(part, Part::HalfDay(..)));
    let mut text = String::new();
    for part in section {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Date(letter, count) => text.push_str(&moment.part(*letter, *count, half_day)),
            Part::Elapsed(letter, count) => {
                let unit = match letter {
                    'h' => 3_600.0,
                    'm' => 60.0,
                    _ => 1.0,
                };
                text.push_str(&format!(
                    "{:0width$}",
                    (moment.seconds / unit).floor() as u64,
                    width = *count
                ));
            }
            Part::HalfDay(before, after) => text.push_str(if moment.hour < 12 { before } else { after }),
            Part::Fraction(digits) => {
                let shown = format!("{:.*}", (*digits).min(6), moment.fraction);
                text.push_str(shown.trim_start_matches(['0', '1']));
            }
            Part::Slash => text.push('/'),
            Part::Comma => text.push(','),
            Part::Point => text.push('.'),
            Part::Percent => text.push('%'),
            Part::Digit(_) | Part::Exponent(_) | Part::General | Part::Text | Part::Condition(..) => {}
        }
    }
    Some(text)
}

impl Moment {
    fn part(&self, letter: char, count: usize, half_day: bool) -> String {
        let two = |number: u64| match count {
            1 => number.to_string(),
            _ => format!("{number:02}"),
        };
        match (letter, count) {
            ('y' | 'e', 1 | 2) => format!("{:02}", self.year % 100),
            ('y' | 'e', _) => format!("{:04}", self.year),
            ('m', 1) => self.month.to_string(),
            ('m', 2) => format!("{:02}", self.month),
            ('m', 3) => MONTHS[self.month - 1][..3].to_owned(),
            ('m', 5) => MONTHS[self.month - 1][..1].to_owned(),
            ('m', _) => MONTHS[self.month - 1].to_owned(),
            ('d', 1) => self.day.to_string(),
            ('d', 2) => format!("{:02}", self.day),
            ('d', 3) => WEEKDAYS[self.weekday][..3].to_owned(),
            ('d', _) => WEEKDAYS[self.weekday].to_owned(),
            ('h', _) if half_day => two((self.hour + 11) % 12 + 1),
            ('h', _) => two(self.hour),
            ('n', _) => two(self.minute),
            ('s', _) => two(self.second),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: f64, code: &str, expected: &str) {
        assert_eq!(shown(value, code, false).trim(), expected, "{value} as {code}");
    }

    #[test]
    fn numbers_are_shown_as_their_cells_show_them() {
        check(1599.99, "\"$\"#,##0.00_);[Red]\\(\"$\"#,##0.00\\)", "$1,599.99");
        check(-1599.99, "\"$\"#,##0.00_);[Red]\\(\"$\"#,##0.00\\)", "($1,599.99)");
        check(-1599.99, "#,##0.00", "-1,599.99");
        check(0.025, "0.00%", "2.50%");
        check(2.5, "# ?/?", "2 1/2");
        check(0.75, "# ?/?", "3/4");
        check(1234567.0, "0.0,,\" M\"", "1.2 M");
        check(12345.678, "0.00E+00", "1.23E+04");
        check(5.0, "000", "005");
        check(0.5, "#.##", ".5");
        check(7.0, "[$€-407] 0.00", "€ 7.00");
        check(0.0, "0;-0;\"none\"", "none");
        check(150.0, "[>=100]\"many\";0", "many");
    }

    #[test]
    fn dates_are_shown_as_dates() {
        check(39_466.190_972, "m/d/yy h:mm", "1/19/08 4:35");
        check(39_219.0, "d-mmm-yy", "17-May-07");
        check(0.760_416_667, "h:mm", "18:15");
        check(0.760_416_667, "h:mm AM/PM", "6:15 PM");
        check(46_052.0, "yyyy\\-mm\\-dd", "2026-01-30");
        check(46_052.0, "dddd, mmmm d, yyyy", "Friday, January 30, 2026");
        check(1.5, "[h]:mm:ss", "36:00:00");
        check(59.0, "yyyy-mm-dd", "1900-02-28");
        check(61.0, "yyyy-mm-dd", "1900-03-01");
        assert_eq!(shown(0.0, "yyyy-mm-dd", true), "1904-01-01");
    }

    #[test]
    fn numbers_without_a_format_show_what_they_have() {
        for (value, expected) in [
            (3.0, "3"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.333333333"),
            (1e20, "1E+20"),
            (-42.5, "-42.5"),
            (0.0, "0"),
            (123_456_789.0, "123456789"),
        ] {
            assert_eq!(general(value), expected);
        }
    }
}
