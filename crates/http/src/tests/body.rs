use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use tokio::time::Instant;

use crate::{Body, BodyError, read_body};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(15)
}

/// A body of unknown length.
fn pieces(pieces: &[&'static str]) -> Body {
    let (sender, body) = Body::stream(pieces.len());
    for piece in pieces {
        sender
            .try_send(Bytes::from_static(piece.as_bytes()))
            .unwrap();
    }
    body
}

#[tokio::test]
async fn sized_and_unsized_bodies() {
    let sized = read_body(Full::new(Bytes::from_static(b"12345")), 5, soon()).await;
    assert_eq!(sized.unwrap(), "12345");
    for (parts, whole) in [
        (&["12345"][..], "12345"),
        (&["1", "", "23", "45"], "12345"),
        (&[], ""),
    ] {
        assert_eq!(read_body(pieces(parts), 5, soon()).await.unwrap(), whole);
    }
}

#[tokio::test]
async fn the_limit_is_exact() {
    let sized = read_body(Full::new(Bytes::from_static(b"123456")), 5, soon()).await;
    assert!(matches!(sized, Err(BodyError::TooLarge { limit: 5 })));
    let streamed = read_body(pieces(&["123", "456"]), 5, soon()).await;
    assert!(matches!(streamed, Err(BodyError::TooLarge { limit: 5 })));
}

#[tokio::test(start_paused = true)]
async fn a_body_without_end_is_given_up_at_the_deadline() {
    let (sender, body) = Body::stream(1);
    sender.try_send(Bytes::from_static(b"1")).unwrap();
    let start = Instant::now();
    let outcome = read_body(body, 5, soon()).await;
    assert!(matches!(outcome, Err(BodyError::TimedOut)));
    assert_eq!(start.elapsed().as_secs(), 15);
    assert!(sender.is_closed());
}

#[tokio::test]
async fn an_endless_body_is_given_up_beyond_the_limit() {
    let (sender, body) = Body::stream(1);
    let feed = tokio::spawn(async move {
        let mut fed = 0;
        while sender.send(Bytes::from_static(&[0; 1000])).await.is_ok() {
            fed += 1000;
        }
        fed
    });
    let outcome = read_body(body, 1_000_000, soon()).await;
    assert!(matches!(outcome, Err(BodyError::TooLarge { .. })));
    assert!(feed.await.unwrap() < 9_010_000);
}

#[tokio::test(start_paused = true)]
async fn a_long_body_is_taken_in_so_that_its_sender_sees_the_answer() {
    let start = Instant::now();
    let (sender, body) = Body::stream(1);
    let sent = tokio::spawn(async move {
        for _ in 0..20 {
            sender.send(Bytes::from_static(b"1")).await.unwrap();
        }
    });
    let outcome = read_body(body, 5, soon()).await;
    assert!(matches!(outcome, Err(BodyError::TooLarge { limit: 5 })));
    sent.await.unwrap();
    assert!(start.elapsed().is_zero());

    // One that stops sending is not waited for.
    let (sender, body) = Body::stream(2);
    sender.try_send(Bytes::from_static(b"123456")).unwrap();
    let outcome = read_body(body, 5, soon()).await;
    assert!(matches!(outcome, Err(BodyError::TooLarge { limit: 5 })));
    assert_eq!(start.elapsed().as_secs(), 1);
}
