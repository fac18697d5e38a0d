import GeoCommands

await GeoFailover.start()
