use std::future::poll_fn;

use super::*;

async fn next(body: &mut StreamBody) -> Option<Bytes> {
    poll_fn(|context| body.poll_frame(context)).await?.into_data().ok()
}

#[tokio::test]
async fn each_record_is_one_frame_with_its_length_inside() {
    let (sender, mut body) = channel(1024);
    sender.send(b"{\"type\":\"HEARTBEAT\"}").unwrap();
    sender.send(b"x").unwrap();
    drop(sender);
    assert_eq!(next(&mut body).await.unwrap(), "20\n{\"type\":\"HEARTBEAT\"}");
    assert_eq!(next(&mut body).await.unwrap(), "1\nx");
    assert_eq!(next(&mut body).await, None);
}

#[tokio::test]
async fn a_slow_reader_fills_the_queue_and_reading_empties_it() {
    let (sender, mut body) = channel(1000);
    let record = [b'a'; 300];
    assert_eq!(sender.send(&record), Ok(()));
    assert_eq!(sender.send(&record), Ok(()));
    assert_eq!(sender.send(&record), Err(SendError::Full));
    next(&mut body).await.unwrap();
    assert_eq!(sender.send(&record), Ok(()));
}

#[tokio::test]
async fn one_record_larger_than_the_queue_still_passes() {
    let (sender, mut body) = channel(10);
    assert_eq!(sender.send(&[0; 100]), Ok(()));
    assert_eq!(sender.send(&[0; 100]), Err(SendError::Full));
    assert_eq!(next(&mut body).await.unwrap().len(), 104);
}

#[tokio::test]
async fn the_sender_learns_that_the_reader_is_gone() {
    let (sender, body) = channel(10);
    assert!(!sender.is_closed());
    drop(body);
    sender.closed().await;
    assert_eq!(sender.send(b"x"), Err(SendError::Closed));
}

#[tokio::test]
async fn stopping_the_server_ends_the_stream() {
    let (sender, mut body) = channel(1024);
    let stop = CancellationToken::new();
    body.end_with(stop.clone());
    sender.send(b"last").unwrap();
    stop.cancel();
    assert_eq!(next(&mut body).await.unwrap(), "4\nlast");
    assert_eq!(next(&mut body).await, None);
}
