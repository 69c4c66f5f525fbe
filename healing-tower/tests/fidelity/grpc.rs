//! Tests of gRPC calls through tonic, whose status is in the trailers while the HTTP status is 200.

use crate::support::*;
use bytes::{Buf, BufMut};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use healing_tower::{HealingLayer, Meter, MeterOptions};
use std::convert::Infallible;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Status};
use tower::{Layer, service_fn};

/// Codec of one-byte messages.
#[derive(Default)]
struct ByteCodec;

impl Codec for ByteCodec {
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

impl Encoder for ByteCodec {
    type Item = u8;
    type Error = Status;

    fn encode(&mut self, item: u8, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_u8(item);
        Ok(())
    }
}

impl Decoder for ByteCodec {
    type Item = u8;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<u8>, Status> {
        Ok(from.has_remaining().then(|| from.get_u8()))
    }
}

/// Service that streams messages and then returns the requested status code. For a request from 100 on, the
/// call itself fails before any message, with the code above 100.
#[derive(Clone, Copy)]
struct Server;

type Messages = BoxStream<'static, Result<u8, Status>>;

impl tonic::server::ServerStreamingService<u8> for Server {
    type Response = u8;
    type ResponseStream = Messages;
    type Future = std::future::Ready<Result<tonic::Response<Messages>, Status>>;

    fn call(&mut self, request: tonic::Request<u8>) -> Self::Future {
        let requested = request.into_inner();
        std::future::ready(match requested {
            100.. => Err(Status::new(
                Code::from(i32::from(requested - 100)),
                "at once",
            )),
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

/// Makes a call, reads up to `reads` messages of the response and drops it; returns the counts.
async fn call(requested: u8, reads: usize) -> Classes {
    call_with(MeterOptions::new(), requested, reads).await
}

async fn call_with(options: MeterOptions, requested: u8, reads: usize) -> Classes {
    let meter = Meter::new(options);
    let service = HealingLayer::new(meter).layer(service_fn(|request| async {
        Ok::<_, Infallible>(
            tonic::server::Grpc::new(ByteCodec)
                .server_streaming(Server, request)
                .await,
        )
    }));
    let mut client = tonic::client::Grpc::new(service);
    client.ready().await.unwrap();
    let path = "/numbers.Numbers/Count".parse().unwrap();
    let request = tonic::Request::new(requested);
    if let Ok(response) = client.server_streaming(request, path, ByteCodec).await {
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
async fn grpc_status_determines_class() {
    let all = usize::MAX;
    assert_eq!(call(0, all).await, OK);
    for server_error in [
        Code::Unknown,
        Code::Internal,
        Code::Unavailable,
        Code::DataLoss,
    ] {
        assert_eq!(
            call(server_error as u8, all).await,
            ERROR,
            "{server_error:?} in the trailers"
        );
        assert_eq!(
            call(100 + server_error as u8, all).await,
            ERROR,
            "{server_error:?} in the headers"
        );
    }
    for client_error in [Code::NotFound, Code::InvalidArgument, Code::Cancelled] {
        assert_eq!(
            call(client_error as u8, all).await,
            OK,
            "{client_error:?} in the trailers"
        );
        assert_eq!(
            call(100 + client_error as u8, all).await,
            OK,
            "{client_error:?} in the headers"
        );
    }
    assert_eq!(call(0, 1).await, CANCELLED);
}

#[tokio::test]
async fn grpc_errors_rule_overrides_default_codes() {
    let options = || MeterOptions::new().grpc_errors(|code| code == Code::NotFound as u8);
    for add in [0, 100] {
        let with_code = |code| call_with(options(), code as u8 + add, usize::MAX);
        assert_eq!(with_code(Code::NotFound).await, ERROR);
        assert_eq!(with_code(Code::Unimplemented).await, OK);
    }
}
