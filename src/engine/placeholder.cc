namespace reco {}
