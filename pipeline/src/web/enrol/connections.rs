//! How many connections may be open: strangers must not use up the descriptors that a camera needs.
//!
//! Counted from the moment the system hands a connection over, before a byte of it is read, until it is closed. Whoever comes
//! when there is no seat is closed at once; their browser tries again.

use crate::metrics::SKIPPED;
use axum_server::accept::Accept;
use std::{
    collections::HashMap,
    future::{Ready, ready},
    io,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tracing::warn;

/// Most connections in all: a quarter of the 1,024 descriptors that systemd gives a service which asks for no more, so
/// that cameras, broker and the other pages have three quarters whatever happens here.
const IN_ALL: usize = 256;

/// Most of one address: ten browsers of six connections each, as of tablets or telephones behind one access point. So four
/// addresses at least must mean harm before anybody else is kept out.
const OF_ONE: usize = 64;

/// The seats, shared by every connection.
#[derive(Clone, Default)]
pub(super) struct Seats(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    in_all: usize,
    by_address: HashMap<IpAddr, usize>,
    /// Whether it was said that there was none left; said again only after half were free.
    is_said: bool,
}

/// One seat; free again when dropped.
pub(super) struct Seat {
    seats: Seats,
    of: IpAddr,
}

impl Seats {
    /// A seat for whoever comes from there, if there is one.
    fn take(&self, from: IpAddr) -> Option<Seat> {
        let of = one(from);
        let mut taken = self.0.lock().expect("no holder of this lock panics");
        if taken.in_all >= IN_ALL || taken.by_address.get(&of).is_some_and(|taken| *taken >= OF_ONE) {
            metrics::counter!(SKIPPED, "stage" => "enrol", "reason" => "too_many_connections").increment(1);
            if !std::mem::replace(&mut taken.is_said, true) {
                warn!(
                    open = taken.in_all,
                    "the enrolment page closes connections: too many are open, or of one address"
                );
            }
            return None;
        }
        taken.in_all += 1;
        *taken.by_address.entry(of).or_default() += 1;
        Some(Seat { seats: self.clone(), of })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().expect("no holder of this lock panics");
        taken.in_all -= 1;
        if let Some(left) = taken.by_address.get_mut(&self.of) {
            *left -= 1;
            if *left == 0 {
                taken.by_address.remove(&self.of);
            }
        }
        if taken.in_all <= IN_ALL / 2 && taken.by_address.values().all(|taken| *taken <= OF_ONE / 2) {
            taken.is_said = false;
        }
    }
}

/// What counts as one address: of IPv6 the network (/64), of which any machine has every address.
fn one(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        four => four,
    }
}

impl<S> Accept<TcpStream, S> for Seats {
    type Stream = Seated;
    type Service = S;
    type Future = Ready<io::Result<(Seated, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let seat = stream.peer_addr().map(|peer| self.take(peer.ip()));
        ready(match seat {
            Ok(Some(seat)) => Ok((Seated { stream, _until_it_is_closed: seat }, service)),
            Ok(None) => Err(io::ErrorKind::ConnectionRefused.into()),
            Err(gone_already) => Err(gone_already),
        })
    }
}

/// A connection and its seat.
pub(super) struct Seated {
    stream: TcpStream,
    _until_it_is_closed: Seat,
}

impl AsyncRead for Seated {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, to)
    }
}

impl AsyncWrite for Seated {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn one_address_fills_its_own_share_and_nobody_elses() {
        let seats = Seats::default();
        let mut taken: Vec<_> = (0..OF_ONE).map(|_| seats.take(address(1)).unwrap()).collect();
        assert!(seats.take(address(1)).is_none());
        let other = seats.take(address(2)).unwrap();
        taken.pop();
        taken.push(seats.take(address(1)).unwrap());
        assert!(seats.take(address(1)).is_none());
        drop((taken, other));
        let all = seats.0.lock().unwrap();
        assert_eq!((all.in_all, all.by_address.len()), (0, 0), "nothing is remembered of who has gone");
    }

    #[test]
    fn many_addresses_fill_no_more_than_all_seats() {
        let seats = Seats::default();
        let taken: Vec<_> = (1..=250).flat_map(|last| [(); 2].map(|()| seats.take(address(last)))).flatten().collect();
        assert_eq!(taken.len(), IN_ALL);
        drop(taken);
        assert!(seats.take(address(251)).is_some());
    }

    #[test]
    fn a_machine_is_one_address_however_many_it_makes_up() {
        let at = |text: &str| one(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2:a:b:c:d"), at("2001:db8:1:2::1"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:10.0.0.7"), at("10.0.0.7"));
    }
}
