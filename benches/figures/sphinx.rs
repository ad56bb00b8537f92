//! A search server of other people over the same texts: Sphinx (`searchd`, `indexer`; Debian's `sphinxsearch`), when it is
//! installed. English stems, BM25, the ten best of what holds any of the words; asked over its MySQL protocol on loopback.

use std::{
    io::{BufRead, BufReader, BufWriter, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::search::told;

/// How long it may take to be there after its start.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// The least memory that its indexer is given: more is not taken.
const INDEXER_MEMORY: &str = "256M";
/// COM_QUERY of the MySQL protocol.
const QUERY: u8 = 3;

/// The server, while it is filled.
pub struct Sphinx {
    folder: PathBuf,
    texts: BufWriter<std::fs::File>,
    count: u64,
}

impl Sphinx {
    /// None when it is not installed.
    pub fn new(folder: &Path) -> Option<Self> {
        let there = |name: &str| Command::new(name).arg("--help").stdout(Stdio::null()).status().is_ok();
        if !there("searchd") || !there("indexer") {
            return None;
        }
        let folder = folder.join("sphinx");
        std::fs::create_dir(&folder).unwrap();
        let texts = BufWriter::new(std::fs::File::create(folder.join("texts")).unwrap());
        Some(Self {
            folder,
            texts,
            count: 0,
        })
    }

    pub fn add(&mut self, text: &str) {
        self.count += 1;
        let text = text.replace(['\t', '\n', '\r'], " ");
        writeln!(self.texts, "{}\t{text}", self.count).unwrap();
    }

    /// Tells how fast it was filled and how fast it answers.
    pub fn measured(mut self, questions: &str) {
        self.texts.flush().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = self.folder.display();
        let settings = format!(
            "source texts {{\n type = tsvpipe\n tsvpipe_command = cat {folder}/texts\n tsvpipe_field = text\n}}\n\
             index passages {{\n source = texts\n path = {folder}/passages\n morphology = stem_en\n}}\n\
             indexer {{\n mem_limit = {INDEXER_MEMORY}\n}}\n\
             searchd {{\n listen = 127.0.0.1:{port}:mysql41\n pid_file = {folder}/pid\n log = {folder}/log\n binlog_path =\n}}\n"
        );
        let file = self.folder.join("conf");
        std::fs::write(&file, settings).unwrap();
        let begun = Instant::now();
        let filled = Command::new("indexer").arg("--config").arg(&file).arg("--all").output();
        let filled = filled.unwrap();
        assert!(filled.status.success(), "{}", String::from_utf8_lossy(&filled.stdout));
        let rate = self.count as f64 / begun.elapsed().as_secs_f64();
        println!("| Sphinx: passages indexed a second | {rate:.0} |");
        let mut server = Server::of(&file, port);
        let mut times = Vec::new();
        for round in 0..2 {
            times.clear();
            let mut found = 0;
            for question in questions.lines() {
                let begun = Instant::now();
                found += server.asked(question);
                times.push(begun.elapsed());
            }
            assert!(found > 0, "Sphinx found nothing at all");
            if round == 1 {
                told("Sphinx, any of the words, ids only", times.clone());
            }
        }
    }
}

/// A server that runs, and one client of it.
struct Server {
    process: Child,
    stream: BufReader<TcpStream>,
}

impl Server {
    fn of(settings: &Path, port: u16) -> Self {
        let mut searchd = Command::new("searchd");
        searchd.arg("--config").arg(settings).arg("--nodetach");
        let process = searchd.stdout(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(error) => assert!(begun.elapsed() < STARTS_WITHIN, "searchd is not there: {error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        stream.set_nodelay(true).unwrap();
        let mut server = Self {
            process,
            stream: BufReader::new(stream),
        };
        server.packet();
        // Capabilities of protocol 4.1, the largest packet, UTF-8, nobody's name.
        let mut login = vec![0x05, 0x82, 0, 0, 0, 0, 0, 1, 33];
        login.extend([0; 23]);
        login.extend(b"\0\0");
        server.send(1, &login);
        assert_eq!(server.packet().first(), Some(&0), "searchd lets nobody in");
        server
    }

    /// How many it finds.
    fn asked(&mut self, question: &str) -> usize {
        let words: String = question.chars().filter(|c| c.is_alphanumeric() || *c == ' ').collect();
        let select = format!(
            r#"SELECT id FROM passages WHERE MATCH('"{words}"/1') LIMIT 10 OPTION ranker=bm25, max_matches=10"#
        );
        let mut query = vec![QUERY];
        query.extend(select.bytes());
        self.send(0, &query);
        let columns = self.packet();
        assert_ne!(columns.first(), Some(&0xff), "{}", String::from_utf8_lossy(&columns));
        // The columns up to their end, then the rows up to theirs.
        self.until_end();
        self.until_end()
    }

    fn until_end(&mut self) -> usize {
        let mut packets = 0;
        while self.packet().first() != Some(&0xfe) {
            packets += 1;
        }
        packets
    }

    fn send(&mut self, number: u8, payload: &[u8]) {
        let mut packet = (payload.len() as u32).to_le_bytes();
        packet[3] = number;
        let whole = [&packet[..], payload].concat();
        self.stream.get_mut().write_all(&whole).unwrap();
    }

    fn packet(&mut self) -> Vec<u8> {
        assert!(!self.stream.fill_buf().unwrap().is_empty(), "searchd went away");
        let mut head = [0; 4];
        self.stream.read_exact(&mut head).unwrap();
        let length = u32::from_le_bytes([head[0], head[1], head[2], 0]);
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload).unwrap();
        payload
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
