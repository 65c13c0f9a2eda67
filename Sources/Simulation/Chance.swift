import Governor

extension SplitMix64 {
  /// True once in `n` on average.
  public mutating func once(in n: Int64) -> Bool { below(n) == 0 }

  public mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }

  public mutating func one<Choice>(of choices: [Choice]) -> Choice { choices[Int(below(Int64(choices.count)))] }
}
