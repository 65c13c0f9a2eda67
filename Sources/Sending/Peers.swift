import Governor
import Store

/// The nodes that send, as one of them sees the others, and which lane should be whose. Pure; `now` is nanoseconds of
/// this node's boot clock.
///
/// It is an opinion, never a right: the lane's log alone says who owns it. Nodes that differ for a moment cost a lane a
/// detour, not its law.
struct Peers: Sendable {
  private struct Peer {
    var seq: Int64
    /// Since when this beat has stood.
    var since: Int64
    /// Since when it has beaten without a silence; nil until its second beat is seen: rows of the dead stay.
    var liveSince: Int64?
  }

  let me: Int64
  let nodeTimeout: Int64
  private var others: [Int64: Peer] = [:]

  init(me: Int64, nodeTimeout: Int64) { (self.me, self.nodeTimeout) = (me, nodeTimeout) }

  /// The beats were read. Who leaves is gone at once, so that its lanes find their next owner.
  mutating func observed(_ beats: [LaneLog.Beat], at now: Int64) {
    var seen: [Int64: Peer] = [:]
    for beat in beats where beat.node != me && !beat.leaves {
      guard var peer = others[beat.node] else {
        seen[beat.node] = Peer(seq: beat.seq, since: now)
        continue
      }
      // Two connections read them: an older answer may come last.
      if beat.seq > peer.seq {
        if peer.liveSince == nil || now - peer.since >= nodeTimeout { peer.liveSince = now }
        (peer.seq, peer.since) = (beat.seq, now)
      }
      seen[beat.node] = peer
    }
    others = seen
  }

  /// Whose the lane should be, of those who have lived for so long, and me. `gone`: known to be silent.
  func owner(of lane: Int64, livingFor: Int64 = 0, without gone: Int64? = nil, at now: Int64) -> Int64 {
    let living = others.filter { node, peer in
      guard node != gone, let since = peer.liveSince else { return false }
      return now - peer.since < nodeTimeout && now - since >= livingFor
    }
    return Rendezvous.owner(of: lane, among: living.keys + [me]) ?? me
  }
}
