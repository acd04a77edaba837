//! What the command line says and takes.

use std::net::TcpListener;

use crate::process::{Ended, Process, Server, echo, echo_client};

/// Exit code 2, nothing on stdout, one sentence on stderr, which is returned.
#[track_caller]
fn refused(ended: Ended) -> String {
    assert_eq!((ended.code, ended.stdout), (Some(2), Vec::new()), "{:?}", ended.stderr);
    let [sentence] = &ended.stderr[..] else { panic!("not one sentence: {:?}", ended.stderr) };
    sentence.clone()
}

#[test]
fn wrong_flags_of_the_server_are_refused_in_one_sentence() {
    for (args, word) in [
        (&["--unknown"][..], "--unknown"),
        (&["surplus"], "surplus"),
        (&["--raw"], "--raw"),
        (&["--raw", "nowhere"], "nowhere"),
        (&["--raw", "127.0.0.1"], "127.0.0.1"),
        (&["--raw", "127.0.0.1:65536"], "65536"),
        (&["--raw", "::1:80x"], "[IPv6]:PORT"),
        (&["--raw", ""], "--raw"),
        (&["--raw", "off", "--raw", "off"], "--raw"),
        (&["--raw", "off"], "no door is open"),
        (&["--max-packet", "4"], "5..=65535"),
        (&["--max-packet", "65536"], "5..=65535"),
        (&["--max-packet", "many"], "many"),
        (&["--workers", "-1"], "-1"),
        (&["--raw", "127.0.0.1:0", "--workers", "1"], "--workers 1 is not supported yet"),
        (&["--raw", "127.0.0.1:0", "--workers", "64"], "--workers 64 is not supported yet"),
    ] {
        let sentence = refused(Process::start(&mut echo(args)).end());
        assert!(sentence.starts_with("echo: ") && sentence.contains(word), "{args:?}: {sentence}");
        assert!(sentence.ends_with("; see --help"), "{args:?}: {sentence}");
    }
}

#[test]
fn a_busy_port_and_a_foreign_address_are_refused_in_one_sentence() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let holder = TcpListener::bind(busy).unwrap();
    let sentence = refused(Process::start(&mut echo(&["--raw", &busy.to_string()])).end());
    assert!(sentence.contains(&format!("{busy} is already in use")), "{sentence}");
    drop(holder);
    // Reserved for documentation: no machine has it.
    let sentence = refused(Process::start(&mut echo(&["--raw", "192.0.2.1:11020"])).end());
    assert!(sentence.contains("cannot listen on 192.0.2.1:11020"), "{sentence}");
}

#[test]
fn help_names_every_flag_and_an_example() {
    let ended = Process::start(&mut echo(&["--help"])).end();
    let help = ended.stdout.join("\n");
    assert_eq!((ended.code, ended.stderr), (Some(0), Vec::new()));
    for word in
        ["--raw", "--max-packet", "--workers", "Example:", "listening raw", "RUST_LOG", "SIGTERM", "off"]
    {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
}

#[test]
fn the_server_listens_on_ipv6_where_there_is_one() {
    if TcpListener::bind("[::1]:0").is_ok() {
        let server = Server::run(&mut echo(&["--raw", "[::1]:0"]));
        assert!(server.addr.is_ipv6() && server.addr.port() != 0);
        server.assert_serves();
    }
}

#[test]
fn wrong_flags_of_the_client_are_refused_in_one_sentence() {
    for (args, word) in [
        (&["--unknown"][..], "--unknown"),
        (&["--count", "0"], "1..=10000000"),
        (&["--size", "65531"], "0..=65530"),
        (&["--window", "0"], "1..=65536"),
        (&["--id", "65536"], "65536"),
        (&["--timeout-ms", "0"], "--timeout-ms"),
    ] {
        let sentence = refused(Process::start(&mut echo_client(args)).end());
        assert!(sentence.starts_with("echo-client: ") && sentence.contains(word), "{args:?}: {sentence}");
        assert!(sentence.ends_with("; see --help"), "{args:?}: {sentence}");
    }
}

#[test]
fn a_client_without_a_server_says_how_to_start_one() {
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for addr in [&free[..], "no address", "127.0.0.1"] {
        let sentence = refused(Process::start(&mut echo_client(&["--connect", addr])).end());
        assert!(sentence.contains("cargo run --release -p echo"), "{sentence}");
    }
}
