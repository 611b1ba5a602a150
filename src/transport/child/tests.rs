use super::*;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs a shell script under an environment that no other child of these tests has.
fn shell(script: &str) -> Command {
    static NTH: AtomicUsize = AtomicUsize::new(0);
    let mark = NTH.fetch_add(1, Ordering::SeqCst).to_string();
    Command {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: vec![("PATH".into(), "/usr/bin:/bin".into()), ("MARK".into(), mark)],
        folder: std::env::temp_dir(),
    }
}

fn is_gone(pid: &str) -> bool {
    kill(Pid::from_raw(pid.parse().unwrap()), None) == Err(Errno::ESRCH)
}

async fn line(child: &mut Child) -> String {
    let line = child.stdout.as_mut().unwrap().next().await.unwrap().expect("the child ended");
    String::from_utf8(line.to_vec()).unwrap()
}

/// Children that stay, each with its number on a line: one in the group, one that ignores SIGTERM.
const FAMILY: &str =
    "sleep 1000 & echo $!; (trap '' TERM; echo $(exec sh -c 'echo $PPID'); sleep 1000) & wait";

#[tokio::test]
async fn frames_pass_and_the_environment_is_only_what_was_given() {
    let mut child = Child::spawn(
        &shell("env | grep -v '^_=\\|^PWD=\\|^SHLVL=' | sort; cat; echo done >&2; exit 3"),
        Talk::Frames,
    )
    .unwrap();
    assert!(line(&mut child).await.starts_with("MARK="));
    assert_eq!(line(&mut child).await, "PATH=/usr/bin:/bin");
    let stdin = child.stdin.take().unwrap();
    stdin.send(b"frame").await.unwrap();
    assert_eq!(line(&mut child).await, "frame");
    stdin.close().await.unwrap();
    assert_eq!(child.exited().await.unwrap().code(), Some(3));
    assert!(child.says(|line| line == "done").await);
    assert_eq!(child.last_words(), "done");
}

#[tokio::test]
async fn the_whole_group_is_gone_after_a_drop() {
    let mut child = Child::spawn(&shell(FAMILY), Talk::Frames).unwrap();
    let family = [line(&mut child).await, line(&mut child).await, child.pid().to_string()];
    assert!(family.iter().all(|pid| !is_gone(pid)), "{family:?}");
    drop(child);
    assert!(family.iter().all(|pid| is_gone(pid)), "{family:?}");
}

#[tokio::test]
async fn the_group_is_gone_when_its_leader_ended_first() {
    let mut child = Child::spawn(&shell("sleep 1000 & echo $!"), Talk::Frames).unwrap();
    let left = line(&mut child).await;
    assert!(child.exited().await.unwrap().success());
    assert!(!is_gone(&left));
    drop(child);
    assert!(is_gone(&left));
}

#[tokio::test]
async fn the_group_is_gone_after_a_panic() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let panicking = tokio::spawn(async move {
        let mut child = Child::spawn(&shell(FAMILY), Talk::Frames).unwrap();
        sender.send([line(&mut child).await, line(&mut child).await]).unwrap();
        panic!("on purpose");
    });
    let family = receiver.await.unwrap();
    assert!(panicking.await.unwrap_err().is_panic());
    assert!(family.iter().all(|pid| is_gone(pid)), "{family:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_daemon_that_left_the_group_is_gone_too() {
    let daemon = "(setsid sh -c 'sleep 1000 & echo $!; echo $$; wait' &) ; read stay";
    let mut child = Child::spawn(&shell(daemon), Talk::Frames).unwrap();
    let family = [line(&mut child).await, line(&mut child).await];
    let mut other = Child::spawn(&shell(daemon), Talk::Frames).unwrap();
    let others = [line(&mut other).await, line(&mut other).await];
    drop(child);
    assert!(family.iter().all(|pid| is_gone(pid)), "{family:?}");
    assert!(others.iter().all(|pid| !is_gone(pid)), "a daemon of another child was ended");
    drop(other);
    assert!(others.iter().all(|pid| is_gone(pid)), "{others:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_child_that_is_just_being_started_is_no_daemon_of_one_that_ends() {
    // All of them under one environment, the only mark of a daemon.
    let command = shell("read line; exit 7");
    let mut lives = JoinSet::new();
    for _ in 0..4 {
        let command = command.clone();
        lives.spawn(async move {
            for _ in 0..100 {
                let child = Child::spawn(&command, Talk::Frames).unwrap();
                let status = child.stop(Duration::from_secs(20)).await.unwrap();
                assert_eq!(status.code(), Some(7), "{status}");
            }
        });
    }
    lives.join_all().await;
}

#[tokio::test]
async fn stopping_is_gentle_first() {
    let gentle = Child::spawn(&shell("while read line; do :; done; exit 4"), Talk::Frames).unwrap();
    assert_eq!(gentle.stop(Duration::from_secs(20)).await.unwrap().code(), Some(4));
    let deaf =
        Child::spawn(&shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done"), Talk::Words)
            .unwrap();
    assert!(deaf.says(|line| line == "ready").await);
    assert_eq!(deaf.stop(Duration::from_secs(20)).await.unwrap().code(), Some(5));
    let stubborn =
        Child::spawn(&shell("trap '' TERM; echo ready; while :; do sleep 0.01; done"), Talk::Words).unwrap();
    assert!(stubborn.says(|line| line == "ready").await);
    assert_eq!(stubborn.stop(Duration::from_millis(20)).await.unwrap().code(), None);
}

#[tokio::test]
async fn words_of_both_streams_are_heard_and_their_end_ends_the_wait() {
    let child =
        Child::spawn(&shell("echo out; echo 'err \u{1b}[31m' >&2; printf unfinished"), Talk::Words).unwrap();
    assert!(child.says(|line| line == "out").await);
    assert!(child.says(|line| line.starts_with("err ")).await);
    assert!(child.says(|line| line == "unfinished").await);
    assert!(!child.says(|line| line == "never said").await);
    assert!(!child.last_words().contains('\u{1b}'), "{}", child.last_words());
}

#[tokio::test]
async fn many_words_keep_only_their_end() {
    let mut child = Child::spawn(&shell("yes word | head -n 200000; echo last"), Talk::Words).unwrap();
    assert!(child.says(|line| line == "last").await);
    assert!(child.exited().await.unwrap().success());
    let words = child.last_words();
    assert!(words.ends_with("word\nlast") && words.len() <= 5000, "{}", words.len());
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let spawn = |command: &Command| Child::spawn(command, Talk::Words).unwrap_err().to_string();
    let missing = Command { program: "no-such-program".into(), ..shell("") };
    assert_eq!(spawn(&missing), "command `no-such-program` not found");
    let nowhere = Command { folder: "/no/such/folder".into(), ..shell("") };
    assert_eq!(spawn(&nowhere), "folder `/no/such/folder` does not exist");
    let refused = Command { program: "/".into(), ..shell("") };
    assert!(spawn(&refused).starts_with("cannot start `/`: "));
}

#[tokio::test]
async fn how_a_process_goes_is_seen() {
    let gone = async |script: &str, grace: u64| {
        let mut child = Child::spawn(&shell(script), Talk::Frames).unwrap();
        line(&mut child).await;
        child.depart(Duration::from_millis(grace)).await
    };
    let orderly = gone("trap 'exit 0' TERM; sleep 1000 & echo up; wait", 2_000).await;
    assert!(orderly.left_behind, "the sleep goes on");
    // What it starts speaks for itself: until then it would catch the signal by the trap that it inherited.
    let orderly = gone("trap 'kill $!; exit 3' TERM; sh -c 'echo up; exec sleep 1000' & wait", 5_000).await;
    assert_eq!((orderly.status.unwrap().code(), orderly.left_behind), (Some(3), false));
    let by_signal = gone("echo up; exec sleep 1000", 5_000).await;
    assert_eq!((by_signal.status.unwrap().code(), by_signal.left_behind), (None, false));
    let deaf = gone("trap '' TERM; echo up; while :; do sleep 0.01; done", 200).await;
    assert_eq!(deaf, Departure { status: None, left_behind: false });
}
