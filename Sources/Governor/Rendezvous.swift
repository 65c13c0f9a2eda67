/// Which of several nodes a lane belongs to: the one that weighs most for it, so that nodes agree without a word.
///
/// Highest random weight: each pair of node and lane has a weight of its own. A node that joins takes only the lanes it
/// weighs most for, from everybody its part; the lanes of one that leaves go to many. Nobody else's move.
public enum Rendezvous {
  /// The owner of a lane among `nodes`; nil when there is none. The order of `nodes` is no matter; of equal weights the
  /// lower node has it.
  public static func owner(of lane: Int64, among nodes: some Sequence<Int64>) -> Int64? {
    nodes.max { (weight($0, lane), $1) < (weight($1, lane), $0) }
  }

  /// Two rounds: lanes and nodes that are numbered in a row are as good as random ones.
  static func weight(_ node: Int64, _ lane: Int64) -> UInt64 {
    var first = SplitMix64(seed: UInt64(bitPattern: node))
    var second = SplitMix64(seed: first.next() ^ UInt64(bitPattern: lane))
    return second.next()
  }
}
