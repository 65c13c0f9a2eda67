/// Arabic verbs and nouns, spoken and written, taken apart: وهتبعتولناش is و + ه + ت + بعت + و + لنا + ش.
///
/// A stem is known from the lexicon; what stands around it is grammar and is here. A word is cut in every way that
/// leaves a beginning and an end a form can have: some tens of look-ups.
enum ArabicForms {
  private struct Beginning: Sendable {
    let text: String
    let isNegated: Bool
    /// م negates only together with ش.
    let needsEnd: Bool
    let tense: String
  }

  private struct End: Sendable {
    let text: String
    let subject: String
    let object: String
    let isNegated: Bool
  }

  private static let beginnings: [String: [Beginning]] = {
    var all: [Beginning] = []
    let tenses = [
      "", "ت", "ي", "ن", "ا", "ب", "بت", "بي", "بن", "ه", "هت", "هن", "ها", "ح", "حت", "س", "ست", "سا", "سن",
      "بتت", "ال", "كت", "كن",
    ]
    for joint in ["", "و", "ف"] {
      for negation in ["", "لا", "ما", "م", "بلا"] {
        for tense in tenses {
          all.append(
            Beginning(
              text: joint + negation + tense, isNegated: !negation.isEmpty, needsEnd: negation == "م", tense: tense))
        }
      }
    }
    return Dictionary(grouping: all, by: \.text)
  }()

  private static let ends: [String: [End]] = {
    var all: [End] = []
    for subject in ["", "و", "ون", "ي", "ين", "ن", "تو", "ت", "تم"] {
      for object in [
        "", "ني", "نا", "ها", "هم", "هن", "ه", "لي", "ليا", "لنا", "لينا", "نلي", "لها", "كم", "كو", "كن", "ك", "لكم",
        "لكو", "لك",
      ] {
        for negation in ["", "ش"] {
          all.append(
            End(text: subject + object + negation, subject: subject, object: object, isNegated: !negation.isEmpty))
        }
      }
    }
    return Dictionary(grouping: all, by: \.text)
  }()

  private static let pronouns: Set<String> = ["ها", "هم", "هن", "ه", "لها"]
  private static let me: Set<String> = ["ني", "نا", "لي", "ليا", "لنا", "لينا", "نلي"]
  private static let you: Set<String> = ["كم", "كو", "كن", "ك", "لكم", "لكو", "لك"]

  static func verb(_ word: String, _ stems: [String: StopToken]) -> StopToken? {
    guard word.unicodeScalars.first.map({ $0.value >= 0x600 && $0.value < 0x700 }) == true else { return nil }
    let letters = Array(word)
    var best: StopToken?
    var bestStem = 0
    for start in 0..<min(letters.count, 8) {
      guard let possible = beginnings[String(letters[..<start])] else { continue }
      for end in stride(from: letters.count, to: start + bestStem, by: -1) {
        guard let known = stems[String(letters[start..<end])], let after = ends[String(letters[end...])] else {
          continue
        }
        for beginning in possible {
          guard let end = after.first(where: { !beginning.needsEnd || $0.isNegated }) else { continue }
          best = form(known, word, beginning, end)
          break
        }
        if best != nil { bestStem = max(bestStem, end - start) }
        break
      }
    }
    return best
  }

  private static func form(_ known: StopToken, _ word: String, _ beginning: Beginning, _ end: End) -> StopToken {
    var token = known
    token.isNegated = beginning.isNegated || end.isNegated
    let tense = beginning.tense
    token.isImperfect = word.hasPrefix("ت") || ["ت", "ي", "ن", "بتت"].contains(tense) || beginning.isNegated
    let isPast = ["ت", "تو", "تم"].contains(end.subject)
    switch known.role {
    // "You annoyed us" is the complaint itself.
    case .disturb, .fedUp, .got, .threat, .doing: break
    default: token.isStatement = tense == "ي" || tense.hasPrefix("ب") || tense.hasPrefix("ك") || isPast
    }
    token.isFirstPerson =
      ["ا", "ه", "ها", "ب", "ح", "س", "سا", "ن", "هن", "سن", "بن"].contains(tense) && !isPast
    token.hasPronoun = pronouns.contains(end.object)
    token.hasMe = me.contains(end.object)
    token.hasYou = you.contains(end.object)
    return token
  }

  private static let articles = [
    "", "ال", "ل", "لال", "ب", "بال", "هال", "ها", "هاال", "عال", "فال", "وال", "و", "من", "مال", "كال", "بهال",
    "لهال", "عهال",
  ]
  private static let possessives = ["", "كم", "كو", "كن", "ك", "ي", "نا", "هم", "ها", "كمان", "ه"]

  static func noun(_ word: String, _ nouns: [String: StopToken]) -> StopToken? {
    for article in articles where word.hasPrefix(article) {
      let rest = word.dropFirst(article.count)
      for possessive in possessives where rest.count > possessive.count && rest.hasSuffix(possessive) {
        if let token = nouns[String(rest.dropLast(possessive.count))] { return token }
      }
    }
    return nil
  }
}
