/// Arabic in Latin letters and digits. Vowels are anybody's guess, so words are compared by their consonants: 3ayez,
/// 3ayiz and 3aiz are `3z`; matb3atosh and mat2b3tush are `mtb3tX`.
enum Franco {
  /// Whether a word shows that its message is written so: a digit for a letter inside a word, or a word of no other
  /// language.
  static func isMarked(_ word: String) -> Bool {
    guard word.utf8.allSatisfy({ $0 < 0x80 }), word.utf8.contains(where: { $0 > 0x39 }) else { return false }
    if word.utf8.contains(where: { [0x32, 0x33, 0x35, 0x37, 0x38, 0x39].contains($0) }) { return true }
    return exactMarks.contains(word) || marks.contains(skeleton(word))
  }

  /// Words so short that their consonants say nothing.
  static func exact(_ word: String) -> StopToken? {
    switch word {
    case "la", "ma": StopToken(role: .negation, language: .arabic, words: 0..<1)
    case "el", "al", "il", "l", "ya", "men", "min", "mn", "les", "de", "da", "di":
      StopToken(role: .thin, language: .arabic, words: 0..<1)
    default: nil
    }
  }

  static func token(_ word: String) -> StopToken? {
    guard word.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
    let bones = skeleton(word)
    if let role = roles[bones] {
      var token = StopToken(role: role.role, language: .arabic, words: 0..<1)
      token.isNegated = role.isNegated
      return token
    }
    return verb(bones, startsWithA: word.hasPrefix("a"))
  }

  /// `[m|l] t stem [l|n] [sh]`: you send, you don't send, don't send me.
  private static func verb(_ bones: String, startsWithA: Bool) -> StopToken? {
    var rest = bones[...]
    var token = StopToken(role: .send, language: .arabic, words: 0..<1)
    let ends = rest.hasSuffix("X")
    if rest.hasPrefix("lt") { token.isNegated = true }
    if rest.hasPrefix("m"), ends { token.isNegated = true }
    if token.isNegated { rest = rest.dropFirst() }
    if rest.hasPrefix("t") {
      token.isImperfect = true
      rest = rest.dropFirst()
    } else if rest.hasPrefix("bt") {
      token.isStatement = true
      rest = rest.dropFirst(2)
    }
    for stem in ["b3t", "b3s", "2b3t", "rsl", "trX", "rX", "sft", "klm", "dz"] where rest.hasPrefix(stem) {
      let end = rest.dropFirst(stem.count)
      guard end.allSatisfy({ "lnXhk".contains($0) }), end.count <= 4 else { continue }
      if end.contains("X") { token.isNegated = token.isNegated || bones.hasPrefix("m") }
      token.hasMe = end.contains("l")
      return token
    }
    return nil
  }

  /// Consonants and the digits that stand for them.
  static func skeleton(_ word: String) -> String {
    var bones: [Character] = []
    var letters = Array(word)[...]
    while let letter = letters.popFirst() {
      var bone = letter
      switch letter {
      case "a", "e", "i", "o", "u": continue
      case "s" where letters.first == "h":
        bone = "X"
        letters.removeFirst()
      case "c" where letters.first == "h":
        bone = "X"
        letters.removeFirst()
      case "g" where letters.first == "h":
        bone = "8"
        letters.removeFirst()
      case "k" where letters.first == "h":
        bone = "5"
        letters.removeFirst()
      case "c": bone = "k"
      case "4": bone = "X"
      default: break
      }
      bones.append(bone)
    }
    // The "my" at the end is written or not: rakamy, raqami.
    if bones.count > 2, bones.last == "y" { bones.removeLast() }
    return String(bones)
  }

  private static let marks: Set<String> = [
    "mX", "rsyl", "trsln", "trsl", "ltrsln", "rqm", "rkm", "r2m", "Xtrk", "lXtrk", "trXn", "rslk", "nmrt",
  ]
  private static let exactMarks: Set<String> = [
    "baraka", "barka", "yezi", "safi", "fokouni", "mabi", "mabgha", "elgha",
  ]

  private static let roles: [String: (role: StopRole, isNegated: Bool)] = {
    let table: [(StopRole, Bool, String)] = [
      (.negation, false, "mX mw"),
      (.want, false, "3yz 3z 3wz 3w3 yz bd bdn b8t b8 b8y nb8"),
      (.want, true, "mb mb8 mb8t mbd mbdn mnb mb8tX mnb8"),
      (
        .media, false,
        "rsyl rsylk rsylkm lrsyl rsl lrsl msjt lmsjt 3lnt l3lnt 3ln 3rd 3rwd l3rwd msgt lmsgt msj msg msgs lmsgs"
      ),
      (.cease, false, "btl w2f wqf wkf wf 7bs hbs btlw 2wqf"),
      (.enough, false, "kfy blX brk yz kf yzy fkn fkwn"),
      (.cancel, false, "l82 l8 l8y 2l8 2l8y knsl"),
      (.subscription, false, "Xtrk lXtrk Xtrky"),
      (.remove, false, "Xl Xyl 7zf hzf ms7 m7 7yd hyd n7w n7y"),
      (.number, false, "rqm rkm r2m nmrt nmr nmrty lrqm"),
      (.again, false, "tn tny tn2 ktr kmn"),
      (.me, false, "l ly lyy"),
      (.thin, false, "mnk mnkw mnkm 5ls khls b2 bq h4 3nd 3ndk 3ndkm 3ndkw sf sfy n hd"),
      (.list, false, "lst lyst"),
      (.got, false, "gbt jbt 5zt gybn"),
      (.origin, false, "mnn mnyn"),
      (.question, false, "mt2 mt lyh zy kyf wyn"),
      (.anything, false, "7g hg Xy"),
      (.polite, false, "Xkrn lw sm7t sm7tw fdlk s7t fk 3fk"),
      (.doing, false, "h3mlk h3mlkm h3ml"),
    ]
    var roles: [String: (role: StopRole, isNegated: Bool)] = [:]
    for (role, isNegated, words) in table {
      for word in words.split(separator: " ") { roles[String(word)] = (role, isNegated) }
    }
    return roles
  }()
}
