import Consent
import Domain
import Simulation
import Testing

@Suite struct `Arabic folding` {
  @Test(arguments: [
    ("إلغـــاء", "الغا"), ("رسائل", "رسايل"), ("فاطمة", "فاطمه"), ("مستشفى", "مستشفي"), ("مُحَمَّد", "محمد"),
    ("لؤلؤ", "لولو"),
    ("القاهرة ٢٠", "القاهره 20"), ("۲۰", "20"), ("ﺍﻟﻘﺎﻫﺮﺓ", "القاهره"), ("ﻻ", "لا"), ("کرم", "كرم"),
    ("Désabonner", "desabonner"),
    ("İPTAL ÇIK", "iptal cik"), ("ＳＴＯＰ", "stop"), ("  a \u{00A0}\n b  ", "a b"), ("\u{202B}نعم\u{202C}", "نعم"),
    ("", ""),
    ("e\u{0301}te\u{0301}", "ete"), ("Œuvre", "oeuvre"), ("a, b!", "a, b!"), ("ُ", ""), ("نعم ُ", "نعم"),
  ])
  func `makes spellings alike`(text: String, folded: String) {
    #expect(ArabicFolding.folded(text) == folded)
  }

  @Test func `changes nothing the second time`() {
    for (_, phrases) in stopPhrases {
      for phrase in phrases {
        let once = ArabicFolding.folded(phrase)
        #expect(ArabicFolding.folded(once) == once)
      }
    }
    for value in UInt32(0x20)...0xFFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let once = ArabicFolding.folded(String(scalar))
      if ArabicFolding.folded(once) != once { Issue.record("U+\(String(value, radix: 16))") }
    }
  }
}

@Suite struct `Stop words` {
  @Test func `judge what people write`() {
    for (verdict, phrases) in stopPhrases {
      for phrase in phrases {
        #expect(StopWords.shipped.verdict(phrase, answering: nil) == verdict, "\(phrase)")
      }
    }
  }

  @Test func `judge all but a lone cancel alike, whatever it answers`() {
    for (verdict, phrases) in stopPhrases where verdict != .ask {
      for phrase in phrases {
        for category in Category.allCases {
          #expect(StopWords.shipped.verdict(phrase, answering: category) == verdict, "\(phrase), \(category.word)")
        }
      }
    }
  }

  @Test(arguments: ["إلغاء", "الغاء", "cancel", "Cancel please", "كنسل", "iptal", "annuler", "elgha2"])
  func `take a lone cancel for a stop when it answers marketing, else ask`(text: String) {
    #expect(StopWords.shipped.verdict(text, answering: .marketing) == .stop)
    #expect(StopWords.shipped.verdict(text, answering: .marketingLite) == .stop)
    #expect(StopWords.shipped.verdict(text, answering: .utility) == .ask)
    #expect(StopWords.shipped.verdict(text, answering: nil) == .ask)
  }

  @Test func `keep only the matched words, and know their language`() {
    let reading = StopWords.shipped.read("السلام عليكم، أنا؟ لا. لو سمحت إلغاء الاشتراك", answering: nil)
    #expect(reading == StopReading(verdict: .stop, matched: "الغا الاشتراك", language: .arabic))
    let polite = StopWords.shipped.read("السلام عليكم، لو سمحت إلغاء الاشتراك", answering: nil)
    #expect(polite.matched == "الغا الاشتراك" && polite.language == .arabic)
    #expect(
      StopWords.shipped.read("Unsubscribe me, thanks!", answering: nil)
        == StopReading(verdict: .stop, matched: "unsubscribe", language: .english))
    #expect(StopWords.shipped.read("abonelikten çık", answering: nil).language == .turkish)
    #expect(StopWords.shipped.read("میسج بند کریں", answering: nil).language == .urdu)
    #expect(StopWords.shipped.read("🛑", answering: nil).language == nil)
  }

  @Test func `stay the same under politeness, case, stretching, marks and signs`() {
    for (verdict, phrases) in stopPhrases where verdict == .stop || verdict == .stopPlus {
      for phrase in phrases where phrase != "🛑" {
        for variant in [
          "لو سمحت \(phrase)", "\(phrase) please!!", "\(phrase) 🙏🏽🙏🏽", "\(phrase.uppercased())...",
          "\n\(phrase) \(phrase)",
        ] {
          // Saying it twice is another message; only words that follow themselves are taken as one.
          if variant.hasPrefix("\n") { continue }
          #expect(StopWords.shipped.verdict(variant, answering: nil) == verdict, "\(variant)")
        }
      }
    }
  }

  @Test(arguments: ["STOP", "قف", "إلغاء", "وقف", "cancel", "مش عايز", "DUR", "كفاية", "end", "ما أبي"])
  func `of a single weak word are no phrase inside a sentence`(text: String) {
    let sentence = "طلبت الطلب رقم 55 أمس \(text) والسعر كان 20 جنيه"
    #expect(StopWords.shipped.verdict(sentence, answering: .marketing) == .none)
  }

  @Test(arguments: [
    ("طلبت امبارح ولسه موصلش ولو سمحتوا وقفوا الرسايل دي", "وقفو الرسايل"),
    ("سعره كام؟ ومش عايز رسايل تاني", "ومش عايز رسايل"),
    ("My parcel 55 is late, so stop sending me offers", "stop sending me ofers"),
  ])
  func `that name messages are heard inside a story, and only they are kept`(text: String, matched: String) {
    let reading = StopWords.shipped.read(text, answering: nil)
    #expect(reading.verdict == .stop)
    #expect(reading.matched == matched)
  }

  @Test func `can be extended and silenced by a business`() {
    let own = StopWords.shipped.adding([("Enough Falafel!", .stop), ("end", .none), ("!!!", .stop)])
    #expect(own.verdict("enough  FALAFEL", answering: nil) == .stop)
    #expect(own.verdict("END", answering: .marketing) == .none)
    #expect(own.verdict("!!!", answering: nil) == .none)
    #expect(own.verdict("stop", answering: nil) == .stop)
  }

  @Test func `are found by a rule, as far as it goes, in phrases it was not made with`() {
    for (name, phrases) in [("seen", LabelledPhrase.seen), ("held out", LabelledPhrase.heldOut)] {
      var right: [StopVerdict: Int] = [:]
      var given: [StopVerdict: Int] = [:]
      var wanted: [StopVerdict: Int] = [:]
      for phrase in phrases {
        let verdict = StopWords.shipped.verdict(phrase.text, answering: nil)
        wanted[phrase.verdict, default: 0] += 1
        given[verdict, default: 0] += 1
        if verdict == phrase.verdict { right[verdict, default: 0] += 1 }
      }
      for verdict in StopVerdict.allCases {
        let (hits, all, said) = (right[verdict] ?? 0, wanted[verdict] ?? 0, given[verdict] ?? 0)
        print("\(name) \(verdict.rawValue): precision \(hits)/\(said), recall \(hits)/\(all)")
      }
      // A stop that is heard as a plus is a stop too. What counts: stops are heard, and nobody is stopped who did not
      // ask.
      let stops = phrases.filter { [.stop, .stopPlus].contains($0.verdict) }
      let heard = phrases.filter { [.stop, .stopPlus].contains(StopWords.shipped.verdict($0.text, answering: nil)) }
      let both = stops.filter { [.stop, .stopPlus].contains(StopWords.shipped.verdict($0.text, answering: nil)) }
      #expect(both.count * 100 >= stops.count * 90, "recall of stops, \(name)")
      #expect(both.count * 100 >= heard.count * 97, "precision of stops, \(name)")
      for (verdict, least) in [(StopVerdict.none, 95), (.ask, 80), (.start, 90), (.stopPlus, 90)] {
        #expect((right[verdict] ?? 0) * 100 >= (wanted[verdict] ?? 0) * least, "recall of \(verdict), \(name)")
      }
    }
  }

  @Test func `are read fast enough for a flood of replies`() {
    let started = ContinuousClock.now
    for phrase in LabelledPhrase.seen + LabelledPhrase.heldOut {
      _ = StopWords.shipped.read(phrase.text, answering: nil)
    }
    let each = (ContinuousClock.now - started) / (LabelledPhrase.seen.count + LabelledPhrase.heldOut.count)
    print("a reading takes \(each)")
    #expect(each < .milliseconds(50), "even unoptimized")
  }

  @Test func `pass over texts that are no message`() {
    #expect(StopWords.shipped.verdict(String(repeating: "stop ", count: 100), answering: nil) == .stop)
    #expect(StopWords.shipped.verdict(String(repeating: "please ", count: 280), answering: nil) == .none)
    #expect(StopWords.shipped.verdict(String(repeating: "ش", count: 100_000), answering: nil) == .none)
  }
}

@Suite struct `A suppression` {
  static let words: [ConsentWord] = {
    var words: [ConsentWord] = []
    for event in ConsentEvent.allCases {
      for scope in ConsentScope.allCases {
        for (said, recorded) in [(1, 1), (1, 3), (2, 2), (9, 2)] as [(Int64, Int64)] {
          words.append(
            ConsentWord(event, scope: scope, saidAt: Instant(seconds: said), recordedAt: Instant(seconds: recorded)))
        }
      }
    }
    return words
  }()

  @Test func `is the same in whatever order words come, and however often`() {
    everySequence(of: Self.words, upTo: 4) { sequence in
      let heard = Suppression(sequence)
      let same = Suppression(sequence.reversed()) == heard && Suppression(sequence + sequence) == heard
      if !same { Issue.record("\(sequence)") }
    }
  }

  @Test func `is never lifted by words older than the stop`() {
    everySequence(of: Self.words, upTo: 3) { earlier in
      let newest = earlier.map(\.effectiveAt).max() ?? Instant(seconds: 0)
      let stop = ConsentWord(.stop, scope: .marketing, saidAt: newest, recordedAt: newest)
      if !Suppression(earlier + [stop]).forbids(.marketing) || !Suppression([stop] + earlier).forbids(.marketing) {
        Issue.record("\(earlier)")
      }
    }
  }

  @Test func `is not undone by an old file that is loaded today`() {
    let stop = ConsentWord(.stop, scope: .marketing, saidAt: Instant(seconds: 500), recordedAt: Instant(seconds: 500))
    let file = ConsentWord(.start, scope: .marketing, saidAt: Instant(seconds: 400), recordedAt: Instant(seconds: 900))
    let future = ConsentWord(
      .start, scope: .everything, saidAt: Instant(seconds: 9999), recordedAt: Instant(seconds: 450))
    let again = ConsentWord(.start, scope: .marketing, saidAt: Instant(seconds: 950), recordedAt: Instant(seconds: 951))
    #expect(Suppression([stop, file, future]).forbids(.marketing))
    #expect(!Suppression([stop, file, future, again]).forbids(.marketing))
  }

  @Test func `of marketing leaves the rest, and a stop of everything leaves nothing`() {
    func said(_ event: ConsentEvent, _ scope: ConsentScope, _ second: Int64) -> ConsentWord {
      ConsentWord(event, scope: scope, saidAt: Instant(seconds: second), recordedAt: Instant(seconds: second))
    }
    let marketing = Suppression([said(.stop, .marketing, 1)])
    #expect(marketing.forbids(.marketing) && marketing.forbids(.marketingLite) && !marketing.forbids(.utility))
    let all = Suppression([said(.stop, .everything, 1), said(.start, .marketing, 2)])
    #expect(Category.allCases.allSatisfy(all.forbids))
    let reopened = Suppression([said(.stop, .marketing, 1), said(.stop, .everything, 2), said(.start, .everything, 3)])
    #expect(!Category.allCases.contains(where: reopened.forbids))
    #expect(!Suppression().forbids(.marketing))
  }
}
