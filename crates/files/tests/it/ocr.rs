//! A program of the operator's reads the words in pictures, within bounds, and what goes wrong with it costs one document.

use std::time::Duration;

use files::{FileText, LeftOut, Limits, Unread, ocr::Ocr, sandbox::Bounds};

use crate::made::{outline, read};

/// A picture of so many pixels, as far as anybody looks.
fn png(width: u32, height: u32) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &size[..], b"\x08\x02\0\0\0"].concat()
}

fn by(script: &str, bounds: Bounds) -> Ocr {
    let command = ["sh", "-c", script].map(str::to_owned);
    let environment = vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())];
    Ocr::new(&command, environment, Limits::default(), bounds).unwrap()
}

async fn read_by(script: &str, bytes: &[u8]) -> Result<FileText, Unread> {
    let file = read(bytes, "a.png");
    let ocr = by(script, Ocr::bounds(&Limits::default()));
    ocr.added_to(file, bytes).await.unwrap()
}

#[tokio::test]
async fn the_words_in_a_picture_stand_below_what_is_known_of_it() {
    let counted = "printf 'of %s bytes\\nPump 7\\n\\n  is closed\\n\\f' $(wc -c)";
    let file = read_by(counted, &png(640, 480)).await.unwrap();
    let expected = "PNG image, 640 × 480 pixels\nof 29 bytes\nPump 7\nis closed\n";
    assert_eq!(outline(&file), expected);
    assert_eq!(file.left_out, None);
}

#[tokio::test]
async fn the_program_sees_no_variables_but_those_it_is_given() {
    let file = read_by("cat > /dev/null; env | cut -d= -f1 | sort", &png(640, 480))
        .await
        .unwrap();
    let seen = outline(&file);
    assert!(seen.contains("PATH") && !seen.contains("CARGO"), "{seen}");
}

#[tokio::test]
async fn only_pictures_large_enough_for_words_are_shown_to_the_program() {
    for (bytes, name) in [
        (png(16, 16), "icon.png"),
        (b"plain words".to_vec(), "a.txt"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><text>drawn</text></svg>".to_vec(),
            "a.svg",
        ),
    ] {
        let file = read(&bytes, name);
        let ocr = by("exit 1", Bounds::default());
        assert_eq!(ocr.added_to(file.clone(), &bytes).await.unwrap(), Ok(file), "{name}");
    }
}

#[tokio::test]
async fn a_picture_that_the_program_gives_up_says_so() {
    let unread = read_by("cat > /dev/null; exit 3", &png(640, 480)).await.unwrap_err();
    assert_eq!(
        unread.to_string(),
        "damaged: the program that reads pictures gave it up"
    );
    // One that does not even listen gave it up, too.
    let unread = read_by("exit 1", &[png(640, 480), vec![0; 4 << 20]].concat()).await;
    assert!(unread.is_err());
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_ended() {
    let bounds = Bounds {
        time_max: Duration::from_secs(1),
        ..Bounds::default()
    };
    let (bytes, ocr) = (png(640, 480), by("sleep 600", bounds));
    let unread = ocr.added_to(read(&bytes, "a.png"), &bytes).await.unwrap();
    assert_eq!(unread, Err(Unread::OutOfTime { seconds: 1 }));
}

#[tokio::test]
async fn of_a_program_that_does_not_stop_talking_the_beginning_is_kept() {
    let bounds = Bounds {
        answer_bytes_max: 1_000,
        ..Bounds::default()
    };
    let (bytes, ocr) = (png(640, 480), by("cat > /dev/null; yes words", bounds));
    let file = ocr.added_to(read(&bytes, "a.png"), &bytes).await.unwrap().unwrap();
    assert_eq!(file.left_out, Some(LeftOut::Text { bytes: 1_000 }));
    assert!(outline(&file).contains("words\nwords"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_program_that_wants_more_memory_than_it_may_have_fails() {
    let bounds = Bounds {
        memory_bytes_max: 64 << 20,
        ..Bounds::default()
    };
    let bytes = png(640, 480);
    // Waits until it is bounded: it has heard the picture.
    let hungry = "cat > /dev/null; head -c 200000000 /dev/zero | tail -c 199999999 > /dev/null && echo had it";
    let ocr = by(hungry, bounds);
    let unread = ocr.added_to(read(&bytes, "a.png"), &bytes).await.unwrap();
    assert!(unread.is_err(), "{unread:?}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_the_operators_to_mend() {
    assert!(Ocr::new(&[], Vec::new(), Limits::default(), Bounds::default()).is_none());
    let command = ["no-such-program".to_owned()];
    let ocr = Ocr::new(&command, Vec::new(), Limits::default(), Bounds::default()).unwrap();
    let bytes = png(640, 480);
    assert!(ocr.added_to(read(&bytes, "a.png"), &bytes).await.is_err());
}
