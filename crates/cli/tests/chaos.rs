//! Five servers as processes, two of which are dishonest, others killed at random: ceremonies, issues, renewals.
//!
//! Never a wrong key is accepted, never more is opened than the policies of three servers allow, and there is always a
//! key when three honest ones are up. `HALFLIGHT_CHAOS_ROUNDS` sets how many rounds, `HALFLIGHT_CHAOS_SEED` the seed.

mod institutions;
mod liar;
mod workshop;

use std::collections::BTreeSet;
use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use institutions::{Institutions, wait};
use liar::{Lie, LyingServer};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use roles::ceremony::{Definition, Transcript};
use roles::keyfile::Unlock;
use roles::{ShareHolder, SharedKey};
use workshop::Served;

const SERVERS: usize = 5;
const QUORUM: usize = 3;

/// What a server does in a ceremony.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    /// As it should.
    Honest,
    /// As it should, but it is killed and started again.
    Restarted,
    /// It is killed, and stays away.
    Killed,
    /// It never comes.
    Silent,
    /// It lies.
    Liar(Lie),
}

impl Part {
    fn is_good(self) -> bool {
        matches!(self, Self::Honest | Self::Restarted)
    }
}

struct World {
    five: Institutions,
    rng: ChaCha8Rng,
    /// Counts ceremonies: names of folders.
    ceremonies: usize,
    /// The folder with each server's newest share, and its seat.
    shares: [Option<String>; SERVERS],
    seats: [Option<String>; SERVERS],
    /// Public part of the key in use, in a folder.
    parameters: String,
    /// The key of the good network, once there is one.
    good: Option<Vec<u8>>,
}

impl World {
    fn number(&mut self, below: usize) -> usize {
        self.rng.random_range(0..below)
    }

    /// Parts in the next ceremony, and the number of the clerk: at most two are bad, the clerk now and then among them; of
    /// those who hold shares three are good.
    fn parts(&mut self, renews: bool) -> (Vec<Part>, usize) {
        let mut parts = vec![Part::Honest; SERVERS];
        for _ in 0..self.number(3) {
            let server = self.number(SERVERS);
            let part = match self.number(6) {
                0 => Part::Silent,
                1 => Part::Killed,
                2 => Part::Liar(Lie::Switch),
                3 => Part::Liar(Lie::Copy),
                4 => Part::Liar(Lie::WrongShares),
                _ => Part::Liar(Lie::Rubbish),
            };
            let left = (0..SERVERS).filter(|&other| other != server && parts[other].is_good());
            let able = left.filter(|&other| !renews || self.shares[other].is_some()).count();
            // A liar needs the share that it lies about.
            if able >= QUORUM && (!renews || self.shares[server].is_some()) {
                parts[server] = part;
            }
        }
        for part in parts.iter_mut().filter(|part| **part == Part::Honest) {
            if self.number(2) == 0 {
                *part = Part::Restarted;
            }
        }
        let good: Vec<usize> = (0..SERVERS).filter(|&server| parts[server].is_good()).collect();
        let clerk = good[self.number(good.len())];
        let able = good.iter().filter(|&&other| other != clerk && (!renews || self.shares[other].is_some())).count();
        if able >= QUORUM && self.number(6) == 0 {
            parts[clerk] = Part::Killed;
        }
        (parts, clerk)
    }

    /// A ceremony until it ends well: first with the parts that chance gives. If withheld shares or a clerk that is gone
    /// stopped it, the servers begin again, with another clerk and without what the liars deal.
    fn ceremony(&mut self, renews: bool) {
        let (mut parts, mut clerk) = self.parts(renews);
        let mut folder = self.define(renews, clerk);
        while !self.attempt(renews, &parts, clerk, &folder) {
            let withheld: String = (0..SERVERS)
                .filter(|&server| parts[server] == Part::Liar(Lie::Rubbish))
                .map(|server| format!("--without s{} ", server + 1))
                .collect();
            parts.iter_mut().filter(|part| !part.is_good()).for_each(|part| *part = Part::Silent);
            let good: Vec<usize> = (0..SERVERS).filter(|&server| parts[server].is_good()).collect();
            clerk = good[self.number(good.len())];
            let second = format!("c{}", self.ceremonies + 1);
            self.five.shop.works(&format!(
                "authority ceremony again --ceremony {folder} --clerk s{} {withheld} --out {second}",
                clerk + 1
            ));
            folder = second;
        }
        self.five.shop.refuses(
            &format!("authority ceremony again --ceremony {folder} --out never"),
            &["this ceremony has ended"],
        );
    }

    /// The folder of a ceremony that nobody has joined.
    fn define(&mut self, renews: bool, clerk: usize) -> String {
        let (folder, clerk) = (format!("c{}", self.ceremonies + 1), format!("s{}", clerk + 1));
        self.five.shop.works(&if renews {
            let parameters = &self.parameters;
            format!("authority ceremony refresh --from {parameters} {} --clerk {clerk} --out {folder}", self.five.holders())
        } else {
            let cards = self.five.cards();
            format!("authority ceremony init --network good.safetensors --threshold 2 {cards} --clerk {clerk} --out {folder}")
        });
        folder
    }

    /// Whether it ended with a result.
    fn attempt(&mut self, renews: bool, parts: &[Part], clerk: usize, ceremony: &str) -> bool {
        self.ceremonies += 1;
        let homes = format!("h{}-", self.ceremonies);
        let definition = fs::read(self.five.path(ceremony).join("ceremony.json")).unwrap();
        let definition = Definition::from_bytes(&definition).unwrap();
        let home = |server: usize| format!("{homes}{}", server + 1);
        let flags = |server: usize| match &self.shares[server] {
            Some(share) if renews => format!("--wait 30 --patience 4 --share {share}"),
            None if renews => "--wait 30 --patience 4 --lost".to_owned(),
            _ => "--wait 30 --patience 4".to_owned(),
        };
        let mut running: Vec<Option<Child>> = Vec::new();
        for (server, part) in parts.iter().enumerate() {
            running.push(match part {
                Part::Silent => None,
                Part::Liar(lie) => {
                    let share =
                        self.shares[server].as_ref().filter(|_| renews).map(|folder| self.holder(server, folder));
                    let mail = self.five.path(ceremony).join("messages");
                    let victim = self.victim(parts, server);
                    lie.tell(
                        &self.five.path(&format!("s{}.key", server + 1)),
                        server,
                        &definition,
                        share.as_ref(),
                        &mail,
                        victim,
                    );
                    None
                }
                _ => Some(self.five.join(server + 1, ceremony, &home(server), &flags(server))),
            });
        }
        // Kills, while it runs.
        let mut left: Vec<(usize, Instant)> = (0..SERVERS)
            .filter(|&server| matches!(parts[server], Part::Killed | Part::Restarted))
            .map(|server| (server, Instant::now() + Duration::from_millis(self.rng.random_range(0..900))))
            .collect();
        left.sort_by_key(|(_, at)| *at);
        for (server, at) in left {
            sleep(at.saturating_duration_since(Instant::now()));
            let Some(child) = running[server].as_mut() else { continue };
            child.kill().unwrap();
            child.wait().unwrap();
            running[server] = None;
            // It may have ended before.
            if parts[server] == Part::Restarted && !self.five.path(&home(server)).join("transcript").exists() {
                running[server] = Some(self.five.join(server + 1, ceremony, &home(server), &flags(server)));
            }
        }
        for child in running.iter_mut().flatten() {
            wait(child, Duration::from_secs(60));
        }
        self.take(renews, parts, clerk, &homes)
    }

    /// A victim of a liar: any other server.
    fn victim(&self, parts: &[Part], liar: usize) -> usize {
        (0..SERVERS).rev().find(|&server| server != liar && parts[server].is_good()).unwrap_or(0)
    }

    fn holder(&self, server: usize, folder: &str) -> ShareHolder {
        let unlock = Unlock::load_identity(&self.five.path(&format!("s{}.identity", server + 1))).unwrap();
        ShareHolder::load(&self.five.path(folder), &unlock).unwrap()
    }

    /// Checks what the servers ended with, and opens seats with it.
    fn take(&mut self, renews: bool, parts: &[Part], clerk: usize, homes: &str) -> bool {
        let home = |server: usize| format!("{homes}{}", server + 1);
        let ended: Vec<usize> =
            (0..SERVERS).filter(|&server| self.five.path(&home(server)).join("transcript").exists()).collect();
        let mut keys = Vec::new();
        for &server in &ended {
            let bytes = fs::read(self.five.path(&home(server)).join("transcript")).unwrap();
            let verified = Transcript::from_bytes(&bytes).unwrap().verify().unwrap();
            let key = verified.key().unwrap();
            assert_eq!(key, SharedKey::read(&self.five.path(&home(server))).unwrap());
            // Nobody honest is blamed for what it did, though it may have been too slow.
            for blame in &verified.outcome.blamed {
                let part = parts[usize::from(blame.server) - 1];
                let slow = blame.fault == qfe::shares::ceremony::Fault::Silent;
                assert!(!part.is_good() || slow, "{part:?} blamed: {blame:?}");
            }
            keys.push(key);
        }
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "two results of one ceremony");
        let good: Vec<usize> = (0..SERVERS).filter(|&server| parts[server].is_good()).collect();
        let with_share: Vec<usize> =
            ended.iter().copied().filter(|&server| self.five.path(&home(server)).join("share.age").exists()).collect();
        let said: Vec<_> = good.iter().map(|&server| self.five.said(&home(server))).collect();
        // Killed between its dealing and its shares, a server withholds them as a liar does.
        let cut_off = |server: usize| {
            let share = format!("share-{}-", server + 1);
            parts[server] == Part::Killed && said.iter().any(|(_, text)| text.contains(&share))
        };
        let withheld = parts.contains(&Part::Liar(Lie::Rubbish)) || (0..SERVERS).any(cut_off);
        let Some(key) = keys.first() else {
            assert!(withheld || !parts[clerk].is_good(), "{parts:?}, clerk {clerk}: {said:?}");
            return false;
        };
        if !withheld {
            assert!(good.iter().all(|server| with_share.contains(server)), "{parts:?}: {said:?}");
        }
        if renews {
            let before = SharedKey::read(&self.five.path(&self.parameters)).unwrap();
            assert_eq!(before.public().id(), key.public().id(), "a renewal keeps the public key");
            assert_eq!(before.seat().epoch + 1, key.seat().epoch);
        } else {
            self.good = None;
            self.seats = Default::default();
        }
        self.parameters = home(ended[0]);
        self.shares = Default::default();
        for server in with_share {
            // Right by the commitments, or it could not be loaded.
            assert!(self.holder(server, &home(server)).key() == key);
            self.shares[server] = Some(home(server));
            self.open_seat(server, &home(server));
        }
        true
    }

    fn open_seat(&mut self, server: usize, home: &str) {
        let identity = format!("s{}.identity", server + 1);
        if let Some(seat) = &self.seats[server] {
            self.five.shop.works(&format!("authority renew --folder {seat} --identity {identity} --share {home}"));
            return;
        }
        let seat = format!("seat-{home}");
        self.five.shop.works(&format!(
            "authority init --network good.safetensors --folder {seat} --identity {identity} --share {home}"
        ));
        self.five.shop.works(&format!("authority register --folder {seat} --network evil.safetensors"));
        self.seats[server] = Some(seat);
    }

    /// Issues the good network's key while servers are down, refuse or lie.
    fn issue(&mut self, round: usize) {
        #[derive(Clone, Copy, Debug, PartialEq)]
        enum Mood {
            Up,
            Down,
            KilledSoon,
            Refuses,
            Lies,
        }
        let mut moods = [Mood::Up; SERVERS];
        for _ in 0..self.number(4) {
            let server = self.number(SERVERS);
            moods[server] = [Mood::Down, Mood::KilledSoon, Mood::Refuses, Mood::Lies][self.number(4)];
        }
        let present = |server: usize| self.shares[server].is_some();
        let sure = (0..SERVERS).filter(|&server| moods[server] == Mood::Up && present(server)).count();
        let perhaps = (0..SERVERS).filter(|&server| moods[server] == Mood::KilledSoon && present(server)).count();
        let mut urls = Vec::new();
        let (mut served, mut liars): (Vec<(usize, Served)>, Vec<LyingServer>) = (Vec::new(), Vec::new());
        for (server, &mood) in moods.iter().enumerate() {
            let name = format!("s{}", server + 1);
            let Some(seat) = self.seats[server].clone() else { continue };
            match mood {
                Mood::Down => urls.push((name, "http://127.0.0.1:9".to_owned())),
                Mood::Lies => {
                    let share = self.shares[server].clone().map(|folder| self.holder(server, &folder));
                    let liar = LyingServer::start(share, round);
                    urls.push((name, liar.url.clone()));
                    liars.push(liar);
                }
                mood => {
                    self.allow(&seat, if mood == Mood::Refuses { &["evil"] } else { &["good"] });
                    let running = self.five.serve(&seat, server + 1, "");
                    urls.push((name, running.address.clone()));
                    served.push((server, running));
                }
            }
        }
        let flags = format!(
            "--parameters {} --network good.safetensors --holder round-{round} --out round-{round}.key",
            self.parameters
        );
        let soon: Vec<(usize, Served)> =
            served.extract_if(.., |(server, _)| moods[*server] == Mood::KilledSoon).collect();
        let after = Duration::from_millis(self.rng.random_range(0..120));
        let killer = std::thread::spawn(move || {
            sleep(after);
            drop(soon);
        });
        let issued = self.five.issue(&urls, &flags);
        killer.join().unwrap();
        let said = String::from_utf8_lossy(&issued.stderr).into_owned();
        let path = self.five.path(&format!("round-{round}.key"));
        assert_eq!(issued.status.success(), path.exists(), "{said}");
        if sure >= QUORUM {
            assert!(issued.status.success(), "round {round}, {moods:?}: {said}");
        }
        if sure + perhaps < QUORUM {
            assert!(!issued.status.success(), "round {round}, {moods:?}: a key of too few");
        }
        for (server, mood) in moods.iter().enumerate().filter(|(server, _)| self.seats[*server].is_some()) {
            let name = format!("s{}", server + 1);
            let word = match mood {
                Mood::Refuses if present(server) => format!("{name} refused: "),
                Mood::Lies => format!("{name} "),
                Mood::Down => format!("{name} gave no answer"),
                _ => continue,
            };
            assert!(said.contains(&word), "round {round}, {mood:?}: {said}");
        }
        if path.exists() {
            let key = fs::read(&path).unwrap();
            self.five.shop.works(&format!(
                "authority verify-key round-{round}.key --parameters {} --network good.safetensors",
                self.parameters
            ));
            // Whoever took part: the same key, byte for byte.
            assert!(self.good.get_or_insert_with(|| key.clone()) == &key, "round {round}");
        }
    }

    /// Two dishonest servers give right parts of a network that the others forbid: it stays closed.
    fn collude(&mut self, round: usize) {
        let mut urls = Vec::new();
        let mut served = Vec::new();
        let able: Vec<usize> = (0..SERVERS).filter(|&server| self.shares[server].is_some()).collect();
        let first = self.number(able.len());
        let bad: BTreeSet<usize> = [able[first], able[(first + 1) % able.len()]].into();
        for &server in &able {
            let seat = self.seats[server].clone().unwrap();
            self.allow(&seat, if bad.contains(&server) { &["evil", "good"] } else { &["good"] });
            let running = self.five.serve(&seat, server + 1, "");
            urls.push((format!("s{}", server + 1), running.address.clone()));
            served.push(running);
        }
        let flags = format!(
            "--parameters {} --network evil.safetensors --holder thief --out evil-{round}.key",
            self.parameters
        );
        let issued = self.five.issue(&urls, &flags);
        let said = String::from_utf8_lossy(&issued.stderr);
        assert!(!issued.status.success() && said.contains("2 of 3 parts"), "round {round}: {said}");
        assert!(!self.five.path(&format!("evil-{round}.key")).exists());
        // Their own two shares, with all that is public, make no key either.
        let evil = institutions::network(7);
        let key = SharedKey::read(&self.five.path(&self.parameters)).unwrap();
        let part = |&server: &usize| {
            self.holder(server, self.shares[server].as_ref().unwrap()).issue_partial(evil.map()).unwrap()
        };
        let parts: Vec<_> = bad.iter().map(part).collect();
        assert!(key.combiner(evil.map()).unwrap().combine(&parts).is_err());
    }

    /// Lets a server's policy allow these networks, without limits that would stand in the way.
    fn allow(&self, seat: &str, names: &[&str]) {
        let hash = |name: &&str| {
            let network = institutions::network(if *name == "good" { 255 } else { 7 });
            format!("\"{}\"", network.hash().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        };
        let allowed: Vec<_> = names.iter().map(hash).collect();
        let policy = format!(
            "version = 1\n[networks]\nallow = [{}]\n[limits]\nrank = 8\nbits = 1000.0\nholders = 1000\n",
            allowed.join(", ")
        );
        fs::write(self.five.path(seat).join("policy.toml"), policy).unwrap();
    }
}

#[test]
fn five_servers_of_which_two_lie_and_any_are_killed() {
    let read =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (rounds, seed) = (read("HALFLIGHT_CHAOS_ROUNDS", 4) as usize, read("HALFLIGHT_CHAOS_SEED", 7));
    let mut world = World {
        five: Institutions::new(SERVERS),
        rng: ChaCha8Rng::seed_from_u64(seed),
        ceremonies: 0,
        shares: Default::default(),
        seats: Default::default(),
        parameters: String::new(),
        good: None,
    };
    for round in 0..rounds {
        let begun = Instant::now();
        // A key now and then; mostly renewals of it.
        let renews = round > 0 && world.number(5) > 0;
        world.ceremony(renews);
        world.issue(round);
        if round % 4 == 1 {
            world.collude(round);
        }
        eprintln!("round {round} of {rounds}, renewal {renews}: {:.1} s", begun.elapsed().as_secs_f64());
    }
}
