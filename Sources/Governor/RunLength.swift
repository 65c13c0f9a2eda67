/// How many recipients make a run, which a lane takes at once.
///
/// Several numbers cut shorter ones: a run is the longest that one of them goes on alone when the others find nothing more.
public enum RunLength {
  public static let most = 5000
  static let least = 100
  /// So many runs for each of several numbers, and so many for all of them: lanes look through them a few times a second.
  static let runsPerNumber = 16
  static let runs = 640

  /// Where `people` are written to from so many numbers.
  public static func of(_ people: Int, over numbers: Int) -> Int {
    guard numbers > 1 else { return most }
    return min(most, max(least, (people - 1) / min(numbers * runsPerNumber, runs) + 1))
  }
}
