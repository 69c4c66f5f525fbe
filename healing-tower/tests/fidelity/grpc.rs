//! gRPC calls through tonic: their status is in the trailers, HTTP says 200.

use crate::support::*;
use bytes::{Buf, BufMut};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use healing_tower::{HealingLayer, Meter, MeterOptions};
use std::convert::Infallible;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Status};
use tower::{Layer, service_fn};

/// Messages are one byte each.
#[derive(Default)]
struct Bytes1;

impl Codec for Bytes1 {
    type Encode = u8;
    type Decode = u8;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes1 {
    type Item = u8;
    type Error = Status;

    fn encode(&mut self, item: u8, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_u8(item);
        Ok(())
    }
}

impl Decoder for Bytes1 {
    type Item = u8;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<u8>, Status> {
        Ok(from.has_remaining().then(|| from.get_u8()))
    }
}

/// Sends so many messages, then ends with a status: with a code above 100 the call itself fails,
/// before any message.
#[derive(Clone, Copy)]
struct Server;

type Messages = BoxStream<'static, Result<u8, Status>>;

impl tonic::server::ServerStreamingService<u8> for Server {
    type Response = u8;
    type ResponseStream = Messages;
    type Future = std::future::Ready<Result<tonic::Response<Messages>, Status>>;

    fn call(&mut self, request: tonic::Request<u8>) -> Self::Future {
        let wanted = request.into_inner();
        std::future::ready(match wanted {
            100.. => Err(Status::new(Code::from(i32::from(wanted - 100)), "at once")),
            0 => Ok(tonic::Response::new(stream::iter([Ok(1), Ok(2)]).boxed())),
            code => {
                let failure = Status::new(Code::from(i32::from(code)), "midway");
                Ok(tonic::Response::new(
                    stream::iter([Ok(1), Err(failure)]).boxed(),
                ))
            }
        })
    }
}

/// Makes a call; `reads` messages of the answer are taken, then it is dropped.
async fn call(wanted: u8, reads: usize) -> Classes {
    call_by(MeterOptions::new(), wanted, reads).await
}

async fn call_by(options: MeterOptions, wanted: u8, reads: usize) -> Classes {
    let meter = Meter::new(options);
    let service = HealingLayer::new(meter).layer(service_fn(|request| async {
        Ok::<_, Infallible>(
            tonic::server::Grpc::new(Bytes1)
                .server_streaming(Server, request)
                .await,
        )
    }));
    let mut client = tonic::client::Grpc::new(service);
    client.ready().await.unwrap();
    let path = "/numbers.Numbers/Count".parse().unwrap();
    let request = tonic::Request::new(wanted);
    if let Ok(response) = client.server_streaming(request, path, Bytes1).await {
        let mut messages = response.into_inner();
        for _ in 0..reads {
            if !matches!(messages.message().await, Ok(Some(_))) {
                break;
            }
        }
    }
    classes(meter)
}

#[tokio::test]
async fn the_trailers_tell() {
    let all = usize::MAX;
    assert_eq!(call(0, all).await, OK);
    for fault in [
        Code::Unknown,
        Code::Internal,
        Code::Unavailable,
        Code::DataLoss,
    ] {
        assert_eq!(
            call(fault as u8, all).await,
            ERROR,
            "{fault:?} in the trailers"
        );
        assert_eq!(
            call(100 + fault as u8, all).await,
            ERROR,
            "{fault:?} in the headers"
        );
    }
    for callers in [Code::NotFound, Code::InvalidArgument, Code::Cancelled] {
        assert_eq!(
            call(callers as u8, all).await,
            OK,
            "{callers:?} in the trailers"
        );
        assert_eq!(
            call(100 + callers as u8, all).await,
            OK,
            "{callers:?} in the headers"
        );
    }
    assert_eq!(call(0, 1).await, CANCELLED);
}

#[tokio::test]
async fn which_codes_are_errors_can_be_chosen() {
    let options = || MeterOptions::new().grpc_errors(|code| code == Code::NotFound as u8);
    for add in [0, 100] {
        let by = |code| call_by(options(), code as u8 + add, usize::MAX);
        assert_eq!(by(Code::NotFound).await, ERROR);
        assert_eq!(by(Code::Unimplemented).await, OK);
    }
}
