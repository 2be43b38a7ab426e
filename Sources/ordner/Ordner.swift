import ArgumentParser
@main struct Ordner: AsyncParsableCommand {}
