import Domain
import Testing

@testable import Phone

@Suite struct `The table of mobile ranges` {
  /// Opened after 2022, or wider today than the library's metadata has them.
  static let newer: Set<String> = ["AE 53", "YE 78"]

  @Test func `agrees with the library range by range`() {
    var seed: UInt64 = 11
    for plan in MobilePlan.all {
      for start in 0..<100 where plan.starts >> UInt128(start) & 1 == 1 {
        var mobiles = 0
        for _ in 0..<12 {
          seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          let national =
            Int64(start) * MobilePlan.powers[plan.length - 2]
            + Int64(seed >> 20) % MobilePlan.powers[plan.length - 2]
          let digits = Int64(plan.callingCode) * MobilePlan.powers[plan.length] + national
          let reading = LibraryReading(international: Array(String(digits).utf8))
          if reading?.kind == .mobile, reading?.region == plan.region { mobiles += 1 }
          #expect(MobilePlan.owning(digits, count: String(digits).count)?.region == plan.region)
        }
        let range = "\(plan.region) \(start)"
        #expect((mobiles > 0) != Self.newer.contains(range), "\(range): \(mobiles) of 12")
      }
    }
  }

  @Test func `keeps a country's plans together and its codes right`() {
    for plan in MobilePlan.all {
      #expect(PhoneRegion(plan.region)?.callingCode == plan.callingCode)
      #expect(MobilePlan.plans(callingCode: plan.callingCode).allSatisfy { $0.region == plan.region })
    }
  }

  @Test func `reads hostile text without harm`() {
    var seed: UInt64 = 3
    let pieces = [
      "+", "00", "20", "966", "0100", "1234567", "٠", "=", "\"", "/", "wa.me/", "e", "E+11", ".0", "-", "(", "ا",
      "\u{0}", " ",
    ]
    for _ in 0..<4000 {
      var text = ""
      for _ in 0..<8 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text += pieces[Int(seed >> 33) % pieces.count]
      }
      for region in ["EG", "KW", nil] {
        if case .accepted(let phone, let country, _) = PhoneReader.read(text, region: region) {
          #expect((7...15).contains(String(phone.digits).count) && country.utf8.count == 2)
        }
      }
    }
    let broken: [UInt8] = [0x2B, 0x32, 0x30, 0xFF, 0xC3]
    broken.withUnsafeBufferPointer {
      #expect(PhoneReader.read(utf8: $0, region: nil).verdict == .rejected(.letters))
    }
  }
}
