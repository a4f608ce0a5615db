//! Keeps the box from the host's loopback.
//!
//! QEMU's user network connects what is sent to 10.0.2.0/24 (but the guest's own address) to the host's
//! loopback, and 10.0.2.3 to the host's name server on any port; 127.0.0.0/8 and 0.0.0.0, where the guest's
//! stack lets them out, reach it too. Let through are answers on connections the host has opened (published
//! ports) and DNS. A box has `CAP_NET_RAW` by default, so the rules must hold against forged packets:
//!
//! - conntrack decides what an answer is, so nobody may feed it the host's half of a conversation: packets
//!   that claim a foreign source are dropped before conntrack sees them, on their way out and on loopback;
//! - packet sockets pass all hooks of the IP stack by. The egress hook of eth0 sees them, and knows them by
//!   their having no route, which no socket option can give them.

use std::fs;

use crate::fatal::{AtStage, BootError};
use crate::nftables::{Batch, Family, Hook, Meta, Rule, Verdict};

const STAGE: &str = "network-guard";
const TABLE: &str = "a3s";
const GUEST: [u8; 4] = [10, 0, 2, 15];
const RESOLVER: [u8; 4] = [10, 0, 2, 3];
const NETWORK: [u8; 3] = [10, 0, 2];
/// Offsets of the IPv4 header.
const SOURCE: u32 = 12;
const DESTINATION: u32 = 16;
/// `NF_INET_PRE_ROUTING`, `NF_INET_LOCAL_OUT`, `NF_NETDEV_EGRESS`.
const PREROUTING: u32 = 0;
const OUTPUT: u32 = 3;
const EGRESS: u32 = 1;
const BEFORE_CONNTRACK: i32 = -300;
const ARP: u16 = 0x0806;
const IPV4: u16 = 0x0800;
const TCP: u8 = 6;
const UDP: u8 = 17;
/// Bits of TCP's flags.
const TCP_RST: u8 = 0x04;
const TCP_ACK: u8 = 0x10;
const DNS: u16 = 53;
/// `NF_CT_STATE_BIT` of ESTABLISHED and RELATED.
const ANSWER: u32 = 1 << 1 | 1 << 2;

/// Installs the packet filter.
///
/// # Errors
/// Stage `network-guard`: the box must not start without it.
pub fn install() -> Result<(), BootError> {
    let eth0 = index("eth0")?;
    let lo = index("lo")?;
    let mut batch = Batch::new();
    batch.table(Family::Ip, TABLE);
    let mut chain = |name: &str, number: u32, priority: i32, rules: &[Rule]| {
        let hook = Hook {
            number,
            priority,
            device: None,
            policy: Verdict::Accept,
        };
        batch.chain(Family::Ip, TABLE, name, &hook);
        for rule in rules {
            batch.rule(Family::Ip, TABLE, name, rule);
        }
    };
    let claimed = |rule: Rule| {
        rule.ip_header(SOURCE, 3)
            .is(&NETWORK)
            .ip_header(SOURCE, 4)
            .differs(&GUEST)
    };
    // The resets that `output` answers with claim the host's address; they open nothing in conntrack.
    let reset = |rule: Rule| {
        let tcp = claimed(rule).meta(Meta::L4Protocol).is(&[TCP]);
        tcp.l4_header(13, 1)
            .and([!TCP_ACK])
            .is(&[TCP_RST])
            .then(Verdict::Accept)
    };
    let forged = |rule: &Rule| [reset(rule.clone()), claimed(rule.clone()).then(Verdict::Drop)];
    let foreign = Rule::default()
        .meta(Meta::OutputDevice)
        .is(&eth0)
        .ip_header(SOURCE, 4)
        .differs(&GUEST);
    let [reset_out, forged_out] = forged(&Rule::default());
    chain(
        "forged-output",
        OUTPUT,
        BEFORE_CONNTRACK,
        &[reset_out, forged_out, foreign.then(Verdict::Drop)],
    );
    chain(
        "forged-loopback",
        PREROUTING,
        BEFORE_CONNTRACK,
        &forged(&Rule::default().meta(Meta::InputDevice).is(&lo)),
    );
    chain("output", OUTPUT, 0, &output(eth0));

    batch.table(Family::Netdev, TABLE);
    let hook = Hook {
        number: EGRESS,
        priority: 0,
        device: Some("eth0"),
        policy: Verdict::Drop,
    };
    batch.chain(Family::Netdev, TABLE, "egress", &hook);
    let arp = Rule::default()
        .meta(Meta::Protocol)
        .is(&ARP.to_be_bytes())
        .then(Verdict::Accept);
    // Loading the route's class matches whatever has a route: what came through the IP stack.
    let routed = Rule::default()
        .meta(Meta::Protocol)
        .is(&IPV4.to_be_bytes())
        .meta(Meta::RouteClass);
    for rule in [arp, routed.then(Verdict::Accept)] {
        batch.rule(Family::Netdev, TABLE, "egress", &rule);
    }
    batch.commit().at(STAGE, "nftables")
}

fn output(eth0: [u8; 4]) -> Vec<Rule> {
    let to = |address: &[u8]| {
        let length = u32::try_from(address.len()).unwrap_or(4);
        Rule::default().ip_header(DESTINATION, length).is(address)
    };
    let dns = |protocol: u8| {
        let rule = to(&RESOLVER).meta(Meta::L4Protocol).is(&[protocol]);
        rule.l4_header(2, 2).is(&DNS.to_be_bytes()).then(Verdict::Accept)
    };
    let unasked = || to(&NETWORK).ct_state().and(ANSWER.to_ne_bytes()).is(&[0; 4]);
    let leaving = |first: u8| to(&[first]).meta(Meta::OutputDevice).is(&eth0);
    // An ICMP error reaches connect(2) only with its first retransmission, a reset at once.
    let tcp = |rule: Rule| rule.meta(Meta::L4Protocol).is(&[TCP]).reset();
    vec![
        to(&GUEST).then(Verdict::Accept),
        dns(UDP),
        dns(TCP),
        tcp(unasked()),
        unasked().reject(),
        tcp(leaving(127)),
        leaving(127).reject(),
        tcp(leaving(0)),
        leaving(0).reject(),
    ]
}

/// A device's index, as rules compare it.
fn index(device: &str) -> Result<[u8; 4], BootError> {
    let text = fs::read_to_string(format!("/sys/class/net/{device}/ifindex")).at(STAGE, device)?;
    let index: u32 = text.trim().parse().unwrap_or(0);
    Ok(index.to_ne_bytes())
}
