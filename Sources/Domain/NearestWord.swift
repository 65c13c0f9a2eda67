/// Finds the word that somebody probably meant, for the remedy of a refused name.
public enum NearestWord {
  /// The member of `words` with the fewest typing mistakes (an insertion, a loss, another letter, two swapped), if they
  /// are few for its length; nil otherwise. For lists of dozens: the cost is the product of the lengths for each.
  public static func to(_ text: String, among words: [String]) -> String? {
    let typed = Array(text.lowercased().prefix(64))
    var best: (word: String, mistakes: Int)?
    for word in words {
      let mistakes = NearestWord.mistakes(typed, Array(word.lowercased()))
      if mistakes <= max(1, word.count / 3), mistakes < best?.mistakes ?? .max { best = (word, mistakes) }
    }
    return best?.word
  }

  /// The distance of Damerau and Levenshtein, restricted to swaps of neighbours.
  static func mistakes(_ a: [Character], _ b: [Character]) -> Int {
    var before: [Int] = []
    var above = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var least = min(above[j + 1] + 1, row[j] + 1, above[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
        row.append(least)
      }
      (before, above) = (above, row)
    }
    return above[b.count]
  }
}
