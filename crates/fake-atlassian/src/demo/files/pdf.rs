//! Given a title and the lines of each page, gives a PDF 1.4 with as many pages as they need, in Helvetica.

/// How many letters fit on a line of 11-point Helvetica between the margins of an A4 page.
const COLUMNS: usize = 84;
/// How many lines fit below the title.
const LINES_PER_PAGE: usize = 44;

pub(super) fn written(title: &str, pages: &[Vec<&str>]) -> Vec<u8> {
    let wrapped = |lines: &Vec<&str>| lines.iter().flat_map(|line| wrapped(line)).collect::<Vec<String>>();
    let wrapped: Vec<Vec<String>> = pages.iter().map(wrapped).collect();
    let sheets: Vec<&[String]> = wrapped.iter().flat_map(|page| page.chunks(LINES_PER_PAGE)).collect();
    // Objects 1 to 4 are the catalogue, the tree of pages, the font and the information; then two for each page.
    let kids: Vec<String> = (0..sheets.len()).map(|at| format!("{} 0 R", 5 + 2 * at)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), sheets.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        format!("<< /Title ({}) /Producer (Norrhav) >>", literal(title)),
    ];
    for (at, sheet) in sheets.iter().enumerate() {
        let mut content = String::from("BT\n14 TL\n");
        if at == 0 {
            content.push_str(&format!(
                "/F1 18 Tf\n72 770 Td\n({}) Tj\n0 -30 Td\n/F1 11 Tf\n",
                literal(title)
            ));
        } else {
            content.push_str("/F1 11 Tf\n72 770 Td\n");
        }
        for line in *sheet {
            content.push_str(&format!("({}) Tj\nT*\n", literal(line)));
        }
        content.push_str("ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 \
             R >>",
            6 + 2 * at,
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    assembled(&objects)
}

/// The objects, numbered from 1, with the table that says where each begins.
fn assembled(objects: &[String]) -> Vec<u8> {
    let mut out = String::from("%PDF-1.4\n");
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (object, number) in objects.iter().zip(1..) {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let start = out.len();
    out.push_str(&table);
    out.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1,
    ));
    out.into_bytes()
}

/// The inside of a PDF string, ASCII only: what Windows-1252 has beyond it as an octal escape, the rest as `?`.
fn literal(text: &str) -> String {
    let one = |sign: char| match sign {
        '(' | ')' | '\\' => format!("\\{sign}"),
        ' '..='~' => sign.to_string(),
        '–' => "\\226".to_owned(),
        '—' => "\\227".to_owned(),
        '’' => "\\222".to_owned(),
        '€' => "\\200".to_owned(),
        '•' => "\\225".to_owned(),
        '\u{a0}'..='\u{ff}' => format!("\\{:03o}", u32::from(sign)),
        _ => "?".to_owned(),
    };
    text.chars().map(one).collect()
}

fn wrapped(line: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for word in line.split_whitespace() {
        let last = out.len() - 1;
        if out[last].is_empty() {
            out[last].push_str(word);
        } else if out[last].chars().count() + 1 + word.chars().count() <= COLUMNS {
            out[last].push(' ');
            out[last].push_str(word);
        } else {
            out.push(word.to_owned());
        }
    }
    out
}
