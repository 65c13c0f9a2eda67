import Glibc

/// How high a rate may truly be when so many of so many outcomes were bad: Clopper and Pearson's upper bound, by the
/// binomial distribution itself.
///
/// Its error is stated: whatever the true rate, the bound lies below it with a probability of at most 1 - confidence.
public enum ExactBound {
  /// 1 when nothing is known.
  public static func upper(bad: Int, of outcomes: Int, confidence: Double) -> Double {
    precondition(bad >= 0 && bad <= outcomes, "\(bad) of \(outcomes) outcomes can't be bad")
    precondition(confidence > 0 && confidence < 1, "a confidence is between 0 and 1, not \(confidence)")
    guard bad < outcomes else { return 1 }
    // The rate at which so few bad ones are as unlikely as the error allows; that probability falls as the rate rises.
    var (low, high) = (Double(bad) / Double(outcomes), 1.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if atMost(bad, of: outcomes, at: middle) > 1 - confidence { low = middle } else { high = middle }
    }
    return high
  }

  /// The probability of `bad` or fewer of `count`, at a rate not below bad / count: its terms fall from the last one down.
  static func atMost(_ bad: Int, of count: Int, at rate: Double) -> Double {
    guard rate > 0 else { return 1 }
    guard rate < 1 else { return bad < count ? 0 : 1 }
    let (n, k) = (Double(count), Double(bad))
    var term = exp(
      lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(rate) + (n - k) * log1p(-rate))
    var (sum, place) = (term, k)
    while place > 0, term > sum * 1e-15 {
      term *= place / (n - place + 1) * (1 - rate) / rate
      sum += term
      place -= 1
    }
    return min(1, sum)
  }
}
