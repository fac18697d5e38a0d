import GeoCommands

print("not built yet")
