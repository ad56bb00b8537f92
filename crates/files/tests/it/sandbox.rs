//! The child process that reads a file keeps its bounds, and what becomes of it costs one document.

use std::{path::PathBuf, time::Duration};

use files::{
    Limits, Unread,
    sandbox::{Bounds, Reader},
};

use crate::made::{docx, named, outline, zip_of_bytes};

fn reader(limits: Limits, bounds: Bounds) -> Reader {
    Reader::new(
        PathBuf::from(env!("CARGO_BIN_EXE_read-file")),
        Vec::new(),
        limits,
        bounds,
    )
}

fn system(program: &str, arguments: &[&str], bounds: Bounds) -> Reader {
    let arguments = arguments.iter().map(Into::into).collect();
    Reader::new(PathBuf::from(program), arguments, Limits::default(), bounds)
}

#[tokio::test]
async fn a_file_read_by_a_child_gives_what_it_gives_at_home() {
    let bytes = docx("<w:p><w:r><w:t>words</w:t></w:r></w:p>");
    let read = reader(Limits::default(), Bounds::default())
        .read(&bytes, &named("a.docx"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read, crate::made::read(&bytes, "a.docx"));
    assert_eq!(outline(&read), "words\nthe note\n");
}

#[tokio::test]
async fn a_file_without_text_says_why_through_a_child() {
    let unread = reader(Limits::default(), Bounds::default())
        .read(b"\0\0\0\x18ftypmp42....", &named("a"))
        .await
        .unwrap();
    assert_eq!(unread.unwrap_err().to_string(), "type not read: video/mp4");
}

#[tokio::test]
async fn a_file_that_needs_more_memory_than_a_child_has_is_told_so() {
    // Limits that would let a bomb unpack, so that only the child's memory stands against it.
    let limits = Limits {
        part_bytes_max: 2 << 30,
        unpacked_bytes_max: 2 << 30,
        ..Limits::default()
    };
    let bounds = Bounds {
        memory_bytes_max: 50 << 20,
        ..Bounds::default()
    };
    let bomb = zip_of_bytes(&[
        ("[Content_Types].xml", b"<Types>wordprocessingml</Types>".to_vec()),
        ("word/document.xml", vec![b' '; 60 << 20]),
    ]);
    let unread = reader(limits, bounds)
        .read(&bomb, &named("a.docx"))
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(unread, Unread::OutOfMemory { megabytes: 50 });
}

#[tokio::test]
async fn a_child_that_does_not_end_is_ended() {
    let bounds = Bounds {
        time_max: Duration::from_millis(200),
        ..Bounds::default()
    };
    let sleeper = system("/bin/sleep", &["1000"], bounds);
    assert_eq!(
        sleeper.read(b"x", &named("a")).await.unwrap(),
        Err(Unread::OutOfTime { seconds: 0 })
    );
}

#[tokio::test]
async fn a_slow_file_does_not_hold_up_the_others() {
    let bounds = Bounds {
        time_max: Duration::from_secs(600),
        children_max: 2,
        ..Bounds::default()
    };
    // A child that waits for more than it is told: as slow as can be.
    let reader = system(
        "/bin/sh",
        &[
            "-c",
            "read line; case \"$line\" in *slow*) sleep 600;; *) echo no;; esac",
        ],
        bounds,
    );
    let slow = named("slow");
    let waiting = reader.read(b"x", &slow);
    tokio::pin!(waiting);
    for _ in 0..5 {
        tokio::select! {
            ended = &mut waiting => panic!("the slow one ended first: {ended:?}"),
            quick = async { reader.read(b"x", &named("quick")).await } => assert_eq!(quick.unwrap(), Err(Unread::Crashed)),
        }
    }
}

#[tokio::test]
async fn a_child_that_crashes_or_talks_nonsense_costs_one_document() {
    for script in ["exit 7", "kill -SEGV $$", "kill -ABRT $$", "echo nonsense", "exec true"] {
        let reader = system("/bin/sh", &["-c", script], Bounds::default());
        assert_eq!(
            reader.read(&vec![b'x'; 1 << 20], &named("a")).await.unwrap(),
            Err(Unread::Crashed),
            "{script}"
        );
    }
}

#[tokio::test]
async fn a_child_that_never_stops_talking_is_not_listened_to() {
    let bounds = Bounds {
        answer_bytes_max: 1 << 20,
        ..Bounds::default()
    };
    let reader = system("/bin/cat", &["/dev/zero"], bounds);
    assert_eq!(reader.read(b"x", &named("a")).await.unwrap(), Err(Unread::Crashed));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_our_fault_and_not_the_files() {
    let reader = system("/nowhere/read-file", &[], Bounds::default());
    assert!(reader.read(b"x", &named("a")).await.is_err());
}
